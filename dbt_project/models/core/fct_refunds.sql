with
    refunds as (select * from {{ ref("int_orders__refunds") }}),

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
            refund_key,
            refund_id,
            order_key,
            order_id,
            line_number,
            source,
            customer_key,
            base,
            base_key,
            refunded_at,
            refunded_date as refund_date,
            order_date,
            reason,
            coalesce(is_restocked, false) as is_restocked,
            quantity,
            currency_code,
            refund_amount as recorded_refund_amount,
            booked_refund_amount as refund_amount,
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
