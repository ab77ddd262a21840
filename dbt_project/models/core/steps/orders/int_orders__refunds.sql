{# What was given back, without tax and in the currency of its order; what the goods cost is not asked here. #}
with
    recorded as (select * from {{ ref("int_refunds__current") }}),

    taxed_orders as (
        select order_key, tax_amount as order_tax, total_amount as order_total
        from {{ ref("int_orders__current") }}
        where tax_amount > 0 and total_amount > 0
    ),

    orders as (select * from {{ ref("int_orders__with_base") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    -- a refund without a tax of its own pays back its share of the order's tax
    refunds as (
        select
            recorded.*,
            coalesce(
                recorded.tax_amount,
                {{
                    rounded(
                        div(
                            "recorded.refund_amount * taxed_orders.order_tax",
                            "taxed_orders.order_total",
                        ),
                        4,
                    )
                }},
                0
            ) as refund_tax
        from recorded
        left join taxed_orders on recorded.order_key = taxed_orders.order_key
    ),

    joined as (
        select
            refunds.*,
            orders.customer_key,
            orders.order_date,
            case
                when refunds.refunded_date > as_of.as_of
                then 'after_as_of'
                else coalesce(orders.base, 'unknown')
            end as base,
            coalesce(
                orders.currency_code, as_of.reporting_currency_code
            ) as currency_code,
            coalesce(orders.is_booked, true) as is_booked,
            coalesce(orders.exchange_rate, cast(1 as decimal(18, 8))) as exchange_rate,
            refunds.refund_amount - refunds.refund_tax as net_refund
        from refunds
        cross join as_of
        left join orders on refunds.order_key = orders.order_key
    ),

    final as (
        select
            *,
            {{ base_key("base", "customer_key", "currency_code") }} as base_key,
            {{ booked_amount("net_refund") }} as booked_refund_amount
        from joined
    )

select *
from final
