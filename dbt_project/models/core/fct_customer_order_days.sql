{%- set admitted = var("costs_from_records") -%}
with
    orders as (select * from {{ ref("fct_orders") }}),

    final as (
        select
            base_key,
            currency_code,
            order_date as calendar_date,
            sum(case when is_booked then 1 else 0 end) as booked_order_count,
            sum(uncosted_line_count) as uncosted_line_count,
            sum(gross_amount) as gross_amount,
            sum(discount_amount) as discount_amount,
            sum(goods_amount) as goods_amount,
            sum(shipping_amount) as shipping_amount,
            sum(coalesce(cost_amount, 0)) as sold_cost_amount,
            sum(costed_amount) as costed_amount,
            sum(
                {{
                    (
                        "coalesce(shipping_cost_amount, 0)"
                        if "shipping" in admitted
                        else "0"
                    )
                }}
            ) as shipping_cost_amount,
            sum(
                {{
                    (
                        "coalesce(payment_fee_amount, 0)"
                        if "payment_fee" in admitted
                        else "0"
                    )
                }}
            ) as payment_fee_amount
        from orders
        group by base_key, currency_code, order_date
    )

select *
from final
