{#
  A discount of the whole order, or tax in its lines, is spread over the lines: by their amounts, to the
  ten-thousandth, with the largest remainders rounded up. Here are the lines that this changes, and
  those that take goods back.
#}
with
    lines as (select * from {{ ref("stg_order_lines__lines") }}),

    orders as (select * from {{ ref("int_orders__totals") }}),

    sides as (
        select
            lines.record_key,
            lines.order_key,
            lines.line_number,
            coalesce(orders.is_return, false)
            or lines.quantity < 0
            or lines.net_amount < 0 as is_return,
            abs(lines.net_amount) as amount,
            -- goods that an exchange takes back lose their tax alone
            case
                when orders.is_return or (lines.quantity >= 0 and lines.net_amount >= 0)
                then orders.spread_amount
                else orders.returned_tax_amount
            end as spread_amount,
            case
                when orders.is_return or (lines.quantity >= 0 and lines.net_amount >= 0)
                then orders.included_tax_amount
                else orders.returned_tax_amount
            end as included_tax_amount
        from lines
        left join orders on lines.order_key = orders.order_key
    ),

    odd_lines as (
        select *, sum(amount) over (partition by order_key, is_return) as lines_amount
        from sides
        where is_return or spread_amount <> 0
    ),

    -- in ten-thousandths
    shared as (
        select
            *,
            (lines_amount - spread_amount) * 10000 as target,
            {{
                rounded(
                    div(
                        "cast(amount as "
                        ~ type_double()
                        ~ ") * 10000 * (lines_amount - spread_amount)",
                        "lines_amount",
                    ),
                    4,
                    38,
                )
            }} as share
        from odd_lines
        where spread_amount <> 0 and lines_amount > 0
    ),

    placed as (
        select
            record_key,
            cast(floor(share) as decimal(38, 0)) as whole_share,
            cast(
                target as decimal(38, 0)
            ) - sum(cast(floor(share) as decimal(38, 0))) over (
                partition by order_key, is_return
            ) as left_over,
            row_number() over (
                partition by order_key, is_return
                order by share - floor(share) desc, line_number, record_key
            ) as place
        from shared
    ),

    final as (
        select
            odd_lines.record_key,
            odd_lines.is_return,
            cast(
                case
                    when placed.record_key is null
                    then odd_lines.amount
                    when placed.place <= placed.left_over
                    then {{ rounded(div("placed.whole_share + 1", 10000), 4) }}
                    else {{ rounded(div("placed.whole_share", 10000), 4) }}
                end as {{ type_amount() }}
            ) as settled_amount,
            -- the part of the line's amount that is tax, by the rate of what was paid
            case
                when placed.record_key is null
                then cast(0 as {{ type_amount() }})
                else
                    {{
                        rounded(
                            div(
                                "odd_lines.amount * odd_lines.included_tax_amount",
                                "odd_lines.lines_amount - odd_lines.spread_amount + odd_lines.included_tax_amount",
                            ),
                            4,
                        )
                    }}
            end as line_tax_amount
        from odd_lines
        left join placed on odd_lines.record_key = placed.record_key
    )

select *
from final
