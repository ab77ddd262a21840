{# What consumers spend with us, by category and local day. #}
with
    asked as (
        select source, category
        from {{ ref("dim_survey_questions") }}
        where role = 'category_spend'
        union
        select source, category
        from {{ ref("fct_brand_ratings") }}
        union
        select source, cast(null as {{ dbt.type_string() }}) as category
        from {{ ref("fct_orders") }}
    ),

    sold as (
        select distinct source, category
        from {{ ref("dim_products") }}
        where category is not null
    ),

    -- The categories in which wallets are looked at, and whether our whole shop
    -- is the category: so it is for `all`, and for a category without a product
    -- of ours (a grocer's "groceries").
    categories as (
        select distinct
            asked.source,
            coalesce(asked.category, 'all') as category,
            sold.category is null as is_whole_shop
        from asked
        left join sold using (source, category)
    ),

    orders as (
        select * from {{ ref("fct_orders") }} where is_counted and base = 'customer'
    ),

    lines as (
        select *
        from {{ ref("fct_order_lines") }}
        where is_counted and base = 'customer'
    ),

    whole_shop as (
        select
            orders.source,
            orders.customer_key,
            categories.category,
            orders.order_date,
            sum(orders.net_amount) as own_amount
        from orders
        inner join
            categories on orders.source = categories.source and categories.is_whole_shop
        group by
            orders.source, orders.customer_key, categories.category, orders.order_date
    ),

    single_category as (
        select
            lines.source,
            lines.customer_key,
            categories.category,
            lines.order_date,
            sum(lines.net_amount) as own_amount
        from lines
        inner join
            categories
            on lines.source = categories.source
            and lines.category = categories.category
            and not categories.is_whole_shop
        group by lines.source, lines.customer_key, categories.category, lines.order_date
    ),

    final as (
        select *
        from whole_shop
        union all
        select *
        from single_category
    )
select *
from final
