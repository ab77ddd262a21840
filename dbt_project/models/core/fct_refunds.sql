with
    refunds as (select * from {{ ref("int_orders__refunds") }}),

    recorded as (select * from {{ ref("stg_refunds__refunds") }}),

    lines as (select * from {{ ref("fct_order_lines") }}),

    order_costs as (
        select order_key, sum(net_amount) as net_amount, sum(cost_amount) as cost_amount
        from lines
        group by order_key
    ),

    joined as (
        select
            refunds.*,
            -- the share of the line, or of the whole order, that came back
            case
                when refunds.line_number is null
                then {{ div("refunds.net_refund", "order_costs.net_amount") }}
                when refunds.quantity is not null
                then {{ div("refunds.quantity", "lines.quantity") }}
                else {{ div("refunds.net_refund", "lines.net_amount") }}
            end as returned_share,
            case
                when refunds.line_number is null
                then order_costs.cost_amount
                else lines.cost_amount
            end as sold_cost
        from refunds
        left join
            lines
            on refunds.order_key = lines.order_key
            and refunds.line_number = lines.line_number
        left join order_costs on refunds.order_key = order_costs.order_key
    ),

    final as (
        select
            joined.refund_key,
            joined.refund_id,
            joined.order_key,
            joined.order_id,
            joined.line_number,
            joined.source,
            joined.customer_key,
            joined.base,
            joined.base_key,
            joined.refunded_at,
            joined.refunded_date as refund_date,
            joined.order_date,
            joined.reason,
            joined.is_restocked,
            joined.quantity,
            joined.currency_code,
            joined.recorded_refund_amount,
            joined.refund_amount,
            -- goods back on the shelf give their cost back
            case
                when joined.stated_cost is not null
                then {{ booked_amount("stated_cost") }}
                when joined.is_restocked and joined.is_booked
                then
                    {{
                        rounded(
                            "cast(joined.sold_cost as "
                            ~ type_double()
                            ~ ") * least(1, greatest(0, joined.returned_share))",
                            4,
                        )
                    }}
                else cast(0 as {{ type_amount() }})
            end as returned_cost_amount
            {{ x_columns(ref("stg_refunds__refunds"), "recorded") }}
        from joined
        left join recorded on joined.refund_key = recorded.refund_key
    )

select *
from final
