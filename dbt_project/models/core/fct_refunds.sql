with
    recorded as (select * from {{ ref("int_refunds__current") }}),

    taxed_orders as (
        select order_key, tax_amount as order_tax, total_amount as order_total
        from {{ ref("int_orders__current") }}
        where tax_amount > 0 and total_amount > 0
    ),

    orders as (select * from {{ ref("int_orders__with_base") }}),

    lines as (select * from {{ ref("fct_order_lines") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    order_costs as (
        select order_key, sum(net_amount) as net_amount, sum(cost_amount) as cost_amount
        from lines
        group by order_key
    ),

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
            refunds.refund_amount - refunds.refund_tax as net_refund,
            -- the share of the line, or of the whole order, that came back
            case
                when refunds.line_number is null
                then
                    {{
                        div(
                            "refunds.refund_amount - refunds.refund_tax",
                            "order_costs.net_amount",
                        )
                    }}
                when refunds.quantity is not null
                then {{ div("refunds.quantity", "lines.quantity") }}
                else
                    {{
                        div(
                            "refunds.refund_amount - refunds.refund_tax",
                            "lines.net_amount",
                        )
                    }}
            end as returned_share,
            case
                when refunds.line_number is null
                then order_costs.cost_amount
                else lines.cost_amount
            end as sold_cost
        from refunds
        cross join as_of
        left join orders on refunds.order_key = orders.order_key
        left join
            lines
            on refunds.order_key = lines.order_key
            and refunds.line_number = lines.line_number
        left join order_costs on refunds.order_key = order_costs.order_key
    ),

    final as (
        select
            refund_key,
            refund_id,
            order_key,
            order_id,
            line_number,
            source,
            customer_key,
            base,
            {{ base_key("base", "customer_key", "currency_code") }} as base_key,
            refunded_at,
            refunded_date as refund_date,
            order_date,
            reason,
            coalesce(is_restocked, false) as is_restocked,
            quantity,
            currency_code,
            refund_amount as recorded_refund_amount,
            {{ booked_amount("net_refund") }} as refund_amount,
            -- goods back on the shelf give their cost back
            case
                when coalesce(is_restocked, false) and is_booked
                then
                    {{
                        rounded(
                            "cast(sold_cost as "
                            ~ type_double()
                            ~ ") * least(1, greatest(0, returned_share))",
                            4,
                        )
                    }}
                else cast(0 as {{ type_amount() }})
            end as returned_cost_amount
            {{ x_columns(ref("int_refunds__current")) }}
        from joined
    )

select *
from final
