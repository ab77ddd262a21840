with
    orders as (select * from {{ ref("int_orders__current") }}),

    based as (select * from {{ ref("int_orders__with_base") }}),

    amounts as (select * from {{ ref("int_orders__amounts") }}),

    refunds as (
        select order_key, sum(refund_amount) as refund_amount
        from {{ ref("fct_refunds") }}
        where base <> 'after_as_of'
        group by order_key
    ),

    final as (
        select
            based.order_key,
            orders.order_id,
            based.source,
            based.customer_key,
            based.base,
            based.base_key,
            orders.campaign_key,
            orders.campaign_id,
            orders.store_id,
            orders.dealer_id,
            based.status,
            based.kind,
            orders.channel,
            orders.carrier,
            orders.payment_method,
            orders.ordered_at,
            based.order_date,
            {{ month_start("based.order_date") }} as order_month,
            orders.promised_at,
            orders.promised_date,
            orders.delivered_at,
            orders.delivered_date,
            based.is_booked,
            based.is_counted,
            -- a fully refunded order is counted, but not kept
            based.is_counted
            and not coalesce(
                refunds.refund_amount > 0
                and refunds.refund_amount >= amounts.goods_amount,
                false
            ) as is_kept,
            amounts.has_lines,
            amounts.line_count,
            cast(amounts.unit_count as {{ type_amount() }}) as unit_count,
            based.original_currency_code,
            based.currency_code,
            orders.total_amount as recorded_total_amount,
            cast(
                amounts.goods_amount + amounts.discount_amount as {{ type_amount() }}
            ) as gross_amount,
            cast(amounts.discount_amount as {{ type_amount() }}) as discount_amount,
            cast(amounts.goods_amount as {{ type_amount() }}) as goods_amount,
            amounts.shipping_amount,
            cast(
                amounts.goods_amount + amounts.shipping_amount as {{ type_amount() }}
            ) as net_amount,
            cast(
                coalesce(refunds.refund_amount, 0) as {{ type_amount() }}
            ) as refunded_amount,
            cast(amounts.cost_amount as {{ type_amount() }}) as cost_amount,
            cast(amounts.costed_amount as {{ type_amount() }}) as costed_amount,
            case
                when based.is_booked then amounts.uncosted_line_count else 0
            end as uncosted_line_count,
            amounts.shipping_cost_amount,
            amounts.payment_fee_amount
            {{ x_columns(ref("int_orders__current"), "orders") }}
        from based
        inner join orders on based.order_key = orders.order_key
        inner join amounts on based.order_key = amounts.order_key
        left join refunds on based.order_key = refunds.order_key
    )

select *
from final
