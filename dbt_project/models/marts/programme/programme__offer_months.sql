{%- set of_all = ["all_order_count", "is_partial_month"] -%}
{%- set of_orders = ["order_count", "is_partial_month"] -%}
{%- set of_lines = ["asked_line_count", "is_partial_month"] -%}
{#- what was in an order is known from its lines -#}
{%- set add_on_order_count = when_delivered("order_lines", "add_on_order_count") -%}
{%- set bought_category_count = when_delivered(
    ["order_lines", "categories"], "bought_category_count"
) -%}
with
    offers as (select * from {{ ref("int_programme__offer_months") }}),

    products as (select * from {{ ref("dim_products") }}),

    ranges as (
        select
            source,
            {{ when_delivered("categories", "count(distinct category)") }}
            as offered_category_count,
            count(
                case when product_type in ('add_on', 'service') then 1 end
            ) as add_on_product_count
        from products
        group by source
    ),

    whole as (
        select
            source,
            currency_code,
            month,
            order_count as all_order_count,
            net_amount as all_net_amount
        from offers
        where offer_by = 'all'
    ),

    -- a source that never gave a discount may not deliver discounts and list prices
    discounts as (
        select source, max(gross_amount - net_amount) > 0 as has_discounts
        from offers
        group by source
    ),

    final as (
        select
            offer_month_key,
            source,
            month,
            is_partial_month,
            offer_by,
            offer,
            cast(order_count as bigint) as order_count,
            order_count < {{ var("min_base") }} as is_suppressed,
            {{ month_rate("order_count", "all_order_count", *of_all) }}
            as order_share_rate,
            currency_code,
            cast(gross_amount as {{ type_amount() }}) as gross_amount,
            cast(net_amount as {{ type_amount() }}) as net_amount,
            {{ month_rate("net_amount", "all_net_amount", *of_all) }} as net_share_rate,

            -- real offers: what is paid of the list price, and how much is bought on
            -- promotion
            case
                when has_discounts
                then {{ month_rate("net_amount", "gross_amount", *of_orders) }}
            end as price_paid_rate,
            case
                when has_discounts
                then {{ month_rate("promoted_amount", "net_amount", *of_orders) }}
            end as promotion_share_rate,

            -- add-ons, new products, choice
            case
                when add_on_product_count > 0
                then cast({{ add_on_order_count }} as bigint)
            end as add_on_order_count,
            case
                when add_on_product_count > 0
                then {{ month_rate(add_on_order_count, "order_count", *of_orders) }}
            end as attach_rate,
            {{
                when_delivered(
                    "order_lines", "cast(aged_amount as " ~ type_amount() ~ ")"
                )
            }} as aged_amount,
            {{ month_rate("new_amount", "aged_amount", *of_orders) }}
            as new_product_rate,
            cast({{ bought_category_count }} as bigint) as bought_category_count,
            case
                when offer_by <> 'category' then cast(offered_category_count as bigint)
            end as offered_category_count,
            case
                when
                    offer_by <> 'category'
                    and offered_category_count > 0
                    and {{ bought_category_count }} is not null
                then
                    {{
                        month_rate(
                            "least(bought_category_count, offered_category_count)",
                            "offered_category_count",
                            *of_orders
                        )
                    }}
            end as range_breadth_rate,

            -- supply
            {{ when_delivered("order_lines", "cast(asked_line_count as bigint)") }}
            as asked_line_count,
            {{ month_rate("filled_quantity", "asked_quantity", *of_lines) }}
            as fill_rate,
            {{ month_rate("short_line_count", "asked_line_count", *of_lines) }}
            as stockout_rate,

            -- what those say who were asked about such an order
            cast(coalesce(index_count, 0) as bigint) as csat_count,
            {{ suppress_small_mean("index_sum", "index_count") }} as csat_index,
            cast(coalesce(short_index_count, 0) as bigint) as csat_short_count,
            {{ suppress_small_mean("short_index_sum", "short_index_count") }}
            as csat_short_index
        from offers
        inner join whole using (source, currency_code, month)
        inner join discounts using (source)
        left join ranges using (source)
    )

select *
from final
