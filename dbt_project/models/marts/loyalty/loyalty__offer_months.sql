{%- set running = "offers.is_partial_month" -%}
{%- set of_all = "whole.order_count" -%}
{%- set of_orders = "offers.order_count" -%}
{%- set of_lines = "offers.asked_line_count" -%}
with
    offers as (select * from {{ ref("fct_offer_months") }}),

    products as (select * from {{ ref("dim_products") }}),

    ranges as (
        select
            source,
            count(distinct category) as offered_category_count,
            count(
                case when product_type in ('add_on', 'service') then 1 end
            ) as add_on_product_count
        from products
        group by source
    ),

    whole as (select * from offers where offer_by = 'all'),

    final as (
        select
            offers.offer_month_key,
            offers.source,
            offers.month,
            offers.is_partial_month,
            offers.offer_by,
            offers.offer,
            cast(offers.order_count as bigint) as order_count,
            offers.order_count < {{ var("min_base") }} as is_suppressed,
            {{ month_rate("offers.order_count", "whole.order_count", of_all, running) }}
            as order_share_rate,
            offers.currency_code,
            cast(offers.gross_amount as {{ type_amount() }}) as gross_amount,
            cast(offers.net_amount as {{ type_amount() }}) as net_amount,
            {{ month_rate("offers.net_amount", "whole.net_amount", of_all, running) }}
            as net_share_rate,

            -- real offers: what is paid of the list price, and how much is bought on
            -- promotion
            {{
                month_rate(
                    "offers.net_amount", "offers.gross_amount", of_orders, running
                )
            }} as price_paid_rate,
            {{
                month_rate(
                    "offers.promoted_amount", "offers.net_amount", of_orders, running
                )
            }} as promotion_share_rate,

            -- add-ons, new products, choice
            case
                when ranges.add_on_product_count > 0
                then cast(offers.add_on_order_count as bigint)
            end as add_on_order_count,
            case
                when ranges.add_on_product_count > 0
                then
                    {{
                        month_rate(
                            "offers.add_on_order_count",
                            "offers.order_count",
                            of_orders,
                            running,
                        )
                    }}
            end as attach_rate,
            cast(offers.aged_amount as {{ type_amount() }}) as aged_amount,
            {{
                month_rate(
                    "offers.new_amount", "offers.aged_amount", of_orders, running
                )
            }} as new_product_rate,
            cast(offers.bought_category_count as bigint) as bought_category_count,
            case
                when offers.offer_by <> 'category'
                then cast(ranges.offered_category_count as bigint)
            end as offered_category_count,
            case
                when
                    offers.offer_by <> 'category'
                    and {{ of_orders }} >= {{ var("min_base") }}
                    and not {{ running }}
                    and ranges.offered_category_count > 0
                then
                    least(
                        1,
                        {{
                            div(
                                "offers.bought_category_count",
                                "ranges.offered_category_count",
                            )
                        }}
                    )
            end as range_breadth_rate,

            -- supply
            cast(offers.asked_line_count as bigint) as asked_line_count,
            {{
                month_rate(
                    "offers.filled_quantity",
                    "offers.asked_quantity",
                    of_lines,
                    running,
                )
            }} as fill_rate,
            {{
                month_rate(
                    "offers.short_line_count",
                    "offers.asked_line_count",
                    of_lines,
                    running,
                )
            }} as stockout_rate,

            -- what those say who were asked about such an order
            cast(coalesce(offers.index_count, 0) as bigint) as csat_count,
            case
                when offers.index_count >= {{ var("min_base") }}
                then {{ div("offers.index_sum", "offers.index_count") }}
            end as csat_index,
            cast(coalesce(offers.short_index_count, 0) as bigint) as csat_short_count,
            case
                when offers.short_index_count >= {{ var("min_base") }}
                then {{ div("offers.short_index_sum", "offers.short_index_count") }}
            end as csat_short_index
        from offers
        inner join
            whole
            on offers.source = whole.source
            and offers.currency_code = whole.currency_code
            and offers.month = whole.month
        left join ranges on offers.source = ranges.source
    )

select *
from final
