{# The lines of an order compared with its total. Tax in the lines of an exchange is subtracted on both sides. #}
with
    documents as (select * from {{ ref("int_orders__documents") }}),

    measured as (
        select
            *,
            total_amount - tax_amount - shipping_amount as stated_amount,
            lines_amount
            - (total_amount - tax_amount - shipping_amount) as surplus_amount,
            -- what a discount can be taken off
            case
                when is_exchange then sale_amount else lines_amount
            end as spreadable_amount,
            0.01 * line_count as rounding_amount
        from documents
    ),

    explained as (
        select
            *,
            tax_amount > 0
            and shipping_amount > 0
            and abs(surplus_amount - tax_amount - shipping_amount) <= rounding_amount
            -- a discount that is as high as shipping was given
            and abs(surplus_amount - tax_amount - discount_amount)
            > rounding_amount as is_tax_and_shipping,
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
                -- a total without shipping, unless a discount as high was given
                when
                    abs(surplus_amount - shipping_amount) <= rounding_amount
                    and abs(surplus_amount - discount_amount) > rounding_amount
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
