{# Orders in the window with both of two categories; only the categories in most orders are paired. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    categories as (
        select categories.*
        from {{ ref("fct_order_categories") }} as categories
        cross join as_of
        where
            categories.order_date
            > {{ window_start("as_of.as_of", var("value_window_months")) }}
    ),

    orders as (
        select source, count(distinct order_key) as order_count
        from categories
        group by source
    ),

    ranked as (
        select
            source,
            category,
            count(*) as category_order_count,
            row_number() over (
                partition by source order by count(*) desc, md5(category)
            ) as place
        from categories
        where category <> 'unknown'
        group by source, category
    ),

    kept as (select * from ranked where place <= {{ var("pair_categories") }}),

    chosen as (
        select categories.order_key, categories.source, categories.category
        from categories
        inner join kept using (source, category)
    ),

    paired as (
        select
            one.source,
            one.category,
            other.category as other_category,
            count(*) as pair_order_count
        from chosen as one
        inner join
            chosen as other
            on one.order_key = other.order_key
            and one.category <> other.category
        group by one.source, one.category, other.category
    ),

    final as (
        select
            {{ made_key(["one.source", "one.category", "other.category"]) }}
            as category_pair_key,
            one.source,
            one.category,
            other.category as other_category,
            orders.order_count,
            one.category_order_count,
            other.category_order_count as other_order_count,
            -- two categories that never met were together in 0 orders
            coalesce(paired.pair_order_count, 0) as pair_order_count
        from kept as one
        inner join
            kept as other
            on one.source = other.source
            and one.category <> other.category
        inner join orders on one.source = orders.source
        left join
            paired
            on one.source = paired.source
            and one.category = paired.category
            and other.category = paired.other_category
    )

select *
from final
