{#
  What the lines of an order add up to, held against its total; and whether the document is a return.
  An exchange has goods sold and goods taken back: its amounts keep their signs, and tax in its lines
  is taken off both sides.
#}
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
                case when quantity < 0 or net_amount < 0 then abs(net_amount) else 0 end
            ) as returned_amount
        from {{ ref("stg_order_lines__lines") }}
        group by order_key
    ),

    documents as (
        select
            orders.*,
            coalesce(line_totals.line_count, 0) as line_count,
            -- goods taken back: said by the kind, or nothing on the document is sold
            lower(coalesce(orders.kind, 'sale')) = 'return'
            or coalesce(line_totals.sale_line_count = 0, false)
            or (
                line_totals.order_key is null
                and coalesce(orders.total_amount < 0, false)
            ) as is_return,
            line_totals.sale_amount,
            line_totals.returned_amount
        from orders
        left join line_totals on orders.order_key = line_totals.order_key
    ),

    kinds as (
        select *, not is_return and coalesce(returned_amount > 0, false) as is_exchange
        from documents
    ),

    signed as (
        select
            order_key,
            source,
            line_count,
            is_return,
            is_exchange,
            sale_amount,
            returned_amount,
            case
                when is_exchange
                then sale_amount - returned_amount
                when is_return
                then sale_amount + returned_amount
                else sale_amount
            end as lines_amount,
            {% for name in ["total_amount", "tax_amount", "shipping_amount"] %}
                {%- set amount = name if loop.first else "coalesce(" ~ name ~ ", 0)" %}
                case
                    when is_exchange then {{ amount }} else abs({{ amount }})
                end as {{ name }},
            {% endfor %}
            coalesce(discount_amount, 0) as discount_amount,
            0.01 * line_count as rounding_amount
        from kinds
    ),

    measured as (
        select
            *,
            total_amount - tax_amount - shipping_amount as stated_amount,
            lines_amount
            - (total_amount - tax_amount - shipping_amount) as surplus_amount,
            -- what a discount can be taken off
            case
                when is_exchange then sale_amount else lines_amount
            end as spreadable_amount
        from signed
    ),

    explained as (
        select
            *,
            tax_amount > 0
            and shipping_amount > 0
            and abs(surplus_amount - tax_amount - shipping_amount)
            <= rounding_amount as is_tax_and_shipping,
            -- the tax of an exchange is below 0 where more of it came back
            (tax_amount > 0 or (tax_amount < 0 and - tax_amount <= returned_amount))
            and surplus_amount <= spreadable_amount
            and (
                abs(surplus_amount - tax_amount) <= rounding_amount
                -- beside a discount of the order
                or abs(surplus_amount - tax_amount - discount_amount) <= rounding_amount
                -- of a total without shipping
                or abs(surplus_amount - tax_amount - shipping_amount) <= rounding_amount
            ) as is_tax_included
        from measured
    ),

    discounted as (
        select
            *,
            case
                when is_tax_and_shipping then 0 else surplus_amount - tax_amount
            end as discount_beside_tax
        from explained
    ),

    shared as (
        select
            *,
            {{ div("tax_amount", "lines_amount - discount_beside_tax") }} as tax_share
        from discounted
    ),

    judged as (
        select
            *,
            case
                when surplus_amount is null
                then 'no comparison'
                when abs(surplus_amount) <= rounding_amount
                then 'equal'
                -- one rate explains both sides; no tax on sales is half of a net price
                when
                    is_tax_included
                    and (not is_exchange or (tax_share > 0 and 3 * tax_share < 1))
                then 'lines include tax'
                when is_tax_included
                then 'exchange at several tax rates'
                when surplus_amount < 0
                then 'lines below total'
                -- rather a column that was not filled, unless all was given away
                when
                    surplus_amount > spreadable_amount
                    or (
                        total_amount = 0
                        and abs(lines_amount - discount_amount) > rounding_amount
                    )
                then 'total is 0'
                -- a total without shipping
                when abs(surplus_amount - shipping_amount) <= rounding_amount
                then 'equal'
                else 'lines above total'
            end as comparison
        from shared
    ),

    -- the tax in what was sold, or in all lines of a return
    taxed as (
        select
            *,
            case
                when comparison = 'exchange at several tax rates'
                then greatest(tax_amount, 0)
                when comparison <> 'lines include tax'
                then 0
                when is_exchange
                then
                    {{
                        rounded(
                            "tax_share * cast(sale_amount - discount_beside_tax as "
                            ~ type_double()
                            ~ ")",
                            4,
                        )
                    }}
                else tax_amount
            end as included_tax_amount
        from judged
    ),

    final as (
        select
            order_key,
            source,
            line_count,
            is_return,
            sale_amount,
            lines_amount,
            stated_amount,
            cast(
                case
                    when
                        comparison
                        in ('lines include tax', 'exchange at several tax rates')
                    then included_tax_amount + discount_beside_tax
                    when comparison = 'lines above total'
                    then surplus_amount
                    else 0
                end as {{ type_amount() }}
            ) as spread_amount,
            cast(
                case
                    when is_exchange or included_tax_amount = 0
                    then included_tax_amount
                    else least(included_tax_amount, surplus_amount)
                end as {{ type_amount() }}
            ) as included_tax_amount,
            -- the tax in the goods that an exchange takes back
            cast(
                case
                    when
                        is_exchange
                        and comparison
                        in ('lines include tax', 'exchange at several tax rates')
                    then included_tax_amount - tax_amount
                    else 0
                end as {{ type_amount() }}
            ) as returned_tax_amount,
            comparison,
            -- the source delivers amounts in lines, and none of this order's has come
            total_amount is null
            and line_count = 0
            and sum(line_count) over (partition by source) > 0 as is_without_amount
        from taxed
    )

select *
from final
