with
    orders as (select * from {{ ref("stg_orders__orders") }}),

    based as (select * from {{ ref("int_orders__with_base") }}),

    lines as (select * from {{ ref("fct_order_lines") }}),

    line_totals as (
        select
            order_key,
            count(*) as line_count,
            sum(quantity) as unit_count,
            sum(discount_amount) as discount_amount,
            sum(net_amount) as goods_amount,
            sum(cost_amount) as cost_amount,
            sum(costed_amount) as costed_amount,
            count(*) - count(cost_amount) as uncosted_line_count
        from lines
        group by order_key
    ),

    headers as (
        select
            based.order_key,
            based.is_booked,
            coalesce(based.exchange_rate, cast(1 as decimal(18, 8))) as exchange_rate,
            orders.total_amount
            - coalesce(orders.tax_amount, 0)
            - coalesce(orders.shipping_amount, 0) as header_goods,
            orders.gross_amount as header_gross,
            orders.discount_amount as header_discount,
            coalesce(orders.shipping_amount, 0) as shipping,
            orders.shipping_cost_amount as shipping_cost,
            orders.payment_fee_amount as payment_fee
        from based
        inner join orders on based.order_key = orders.order_key
    ),

    converted as (
        select
            order_key,
            {{ booked_amount("coalesce(header_goods, 0)") }} as header_goods_amount,
            {{
                booked_amount(
                    "coalesce(header_discount, header_gross - coalesce(header_goods, 0), 0)"
                )
            }}
            as header_discount_amount,
            {{ booked_amount("shipping") }} as shipping_amount,
            {{ booked_amount("shipping_cost") }} as shipping_cost_amount,
            {{ booked_amount("payment_fee") }} as payment_fee_amount
        from headers
    ),

    -- Amounts of every order in the currency of its row: from its lines where it
    -- has any, else from its total.
    amounts as (
        select
            converted.order_key,
            line_totals.order_key is not null as has_lines,
            coalesce(line_totals.line_count, 0) as line_count,
            coalesce(line_totals.unit_count, 0) as unit_count,
            coalesce(
                line_totals.goods_amount, converted.header_goods_amount
            ) as goods_amount,
            coalesce(
                line_totals.discount_amount, converted.header_discount_amount
            ) as discount_amount,
            converted.shipping_amount,
            line_totals.cost_amount,
            coalesce(line_totals.costed_amount, 0) as costed_amount,
            -- an order without lines is one sale of unknown cost
            coalesce(line_totals.uncosted_line_count, 1) as uncosted_line_count,
            converted.shipping_cost_amount,
            converted.payment_fee_amount
        from converted
        left join line_totals on converted.order_key = line_totals.order_key
    ),

    refunds as (
        select order_key, sum(refund_amount) as refund_amount
        from {{ ref("int_orders__refunds") }}
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
            {{ x_columns(ref("stg_orders__orders"), "orders") }}
        from based
        inner join orders on based.order_key = orders.order_key
        inner join amounts on based.order_key = amounts.order_key
        left join refunds on based.order_key = refunds.order_key
    )
select *
from final
