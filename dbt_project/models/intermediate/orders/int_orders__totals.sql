{# What the lines of an order add up to, held against its total; and whether the document is a return. #}
with
    orders as (select * from {{ ref("stg_orders__orders") }}),

    line_totals as (
        select
            order_key,
            count(*) as line_count,
            sum(
                case when quantity < 0 or net_amount < 0 then 0 else 1 end
            ) as sale_line_count,
            sum(
                case when quantity < 0 or net_amount < 0 then 0 else net_amount end
            ) as sale_amount,
            sum(
                case when quantity < 0 or net_amount < 0 then net_amount else 0 end
            ) as negative_amount,
            sum(abs(net_amount)) as absolute_amount
        from {{ ref("stg_order_lines__lines") }}
        group by order_key
    ),

    documents as (
        select
            orders.order_key,
            orders.source,
            coalesce(line_totals.line_count, 0) as line_count,
            -- goods taken back: said by the kind, or nothing on the document is sold
            lower(coalesce(orders.kind, 'sale')) = 'return'
            or coalesce(line_totals.sale_line_count = 0, false)
            or (
                line_totals.order_key is null
                and coalesce(orders.total_amount < 0, false)
            ) as is_return,
            line_totals.sale_amount,
            line_totals.negative_amount,
            line_totals.absolute_amount,
            abs(orders.total_amount)
            - abs(coalesce(orders.tax_amount, 0))
            - abs(coalesce(orders.shipping_amount, 0)) as header_goods_amount,
            orders.total_amount,
            abs(coalesce(orders.tax_amount, 0)) as tax_amount,
            abs(coalesce(orders.shipping_amount, 0)) as shipping_amount,
            coalesce(orders.discount_amount, 0) as discount_amount
        from orders
        left join line_totals on orders.order_key = line_totals.order_key
    ),

    -- what the lines should add up to; goods taken back in a sale have an amount of
    -- their own
    compared as (
        select
            *,
            case
                when is_return then absolute_amount else sale_amount
            end as lines_amount,
            case
                when is_return
                then header_goods_amount
                when negative_amount < 0 and total_amount < 0
                then - header_goods_amount - negative_amount
                else header_goods_amount - negative_amount
            end as stated_amount,
            0.01 * line_count as rounding_amount
        from documents
    ),

    measured as (
        select *, lines_amount - stated_amount as surplus_amount from compared
    ),

    judged as (
        select
            *,
            tax_amount > 0
            and shipping_amount > 0
            and abs(surplus_amount - tax_amount - shipping_amount)
            <= rounding_amount as is_tax_and_shipping,
            case
                when surplus_amount is null
                then 'no comparison'
                when abs(surplus_amount) <= rounding_amount
                then 'equal'
                when surplus_amount < 0
                then 'lines below total'
                -- rather a column that was not filled, unless all was given away
                when
                    stated_amount < 0
                    or (
                        total_amount = 0
                        and abs(lines_amount - discount_amount) > rounding_amount
                    )
                then 'total is 0'
                when
                    tax_amount > 0
                    and (
                        abs(surplus_amount - tax_amount) <= rounding_amount
                        -- beside a discount of the order
                        or abs(surplus_amount - tax_amount - discount_amount)
                        <= rounding_amount
                        -- of a total without shipping
                        or abs(surplus_amount - tax_amount - shipping_amount)
                        <= rounding_amount
                    )
                then 'lines include tax'
                -- a total without shipping
                when abs(surplus_amount - shipping_amount) <= rounding_amount
                then 'equal'
                else 'lines above total'
            end as comparison
        from measured
    ),

    final as (
        select
            order_key,
            source,
            line_count,
            is_return,
            lines_amount,
            stated_amount,
            cast(
                case
                    when comparison = 'lines include tax' and is_tax_and_shipping
                    then tax_amount
                    when comparison in ('lines include tax', 'lines above total')
                    then surplus_amount
                    else 0
                end as {{ type_amount() }}
            ) as spread_amount,
            cast(
                case
                    when comparison = 'lines include tax'
                    then least(tax_amount, surplus_amount)
                    else 0
                end as {{ type_amount() }}
            ) as included_tax_amount,
            comparison,
            -- the source delivers amounts in lines, and none of this order's has come
            total_amount is null
            and line_count = 0
            and sum(line_count) over (partition by source) > 0 as is_without_amount
        from judged
    )

select *
from final
