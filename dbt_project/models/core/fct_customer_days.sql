{%- set from_orders = var("costs_from_records") -%}
with
    order_days as (
        select
            base_key,
            currency_code,
            order_date as calendar_date,
            sum(case when is_counted then 1 else 0 end) as order_count,
            sum(case when is_kept then 1 else 0 end) as kept_order_count,
            sum(case when is_booked then 1 else 0 end) as booked_order_count,
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
                        if "shipping" in from_orders
                        else "0"
                    )
                }}
            ) as shipping_cost_amount,
            sum(
                {{
                    (
                        "coalesce(payment_fee_amount, 0)"
                        if "payment_fee" in from_orders
                        else "0"
                    )
                }}
            ) as payment_fee_amount
        from {{ ref("fct_orders") }}
        group by base_key, currency_code, order_date
    ),

    refund_days as (
        select
            base_key,
            currency_code,
            refund_date as calendar_date,
            count(*) as refund_count,
            sum(refund_amount) as refund_amount,
            sum(coalesce(returned_cost_amount, 0)) as returned_cost_amount
        from {{ ref("fct_refunds") }}
        group by base_key, currency_code, refund_date
    ),

    cost_days as (select * from {{ ref("int_customers__cost_days") }}),

    days as (
        select base_key, currency_code, calendar_date
        from order_days
        union
        select base_key, currency_code, calendar_date
        from refund_days
        union
        select base_key, currency_code, calendar_date
        from cost_days
    ),

    customers as (select * from {{ ref("dim_customers") }}),

    final as (
        select
            days.base_key,
            days.calendar_date,
            {{ month_start("days.calendar_date") }} as month,
            days.currency_code,
            case
                when customers.customer_key is not null
                then 'customer'
                else
                    substr(
                        days.base_key,
                        1,
                        length(days.base_key) - length(days.currency_code) - 1
                    )
            end as base,
            {% for name in ["order_count", "kept_order_count", "booked_order_count"] %}
                cast(coalesce(order_days.{{ name }}, 0) as bigint) as {{ name }},
            {% endfor %}
            cast(coalesce(refund_days.refund_count, 0) as bigint) as refund_count,
            {% for table, name in customer_day_amounts() %}
                cast(
                    coalesce({{ table }}.{{ name }}, 0) as {{ type_amount() }}
                ) as {{ name }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from days
        left join customers on days.base_key = customers.customer_key
        left join
            order_days
            on days.base_key = order_days.base_key
            and days.currency_code = order_days.currency_code
            and days.calendar_date = order_days.calendar_date
        left join
            refund_days
            on days.base_key = refund_days.base_key
            and days.currency_code = refund_days.currency_code
            and days.calendar_date = refund_days.calendar_date
        left join
            cost_days
            on days.base_key = cost_days.base_key
            and days.currency_code = cost_days.currency_code
            and days.calendar_date = cost_days.calendar_date
    )

select *
from final
