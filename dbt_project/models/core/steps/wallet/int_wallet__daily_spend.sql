{# What consumers spend with us, by category and local day. #}
with
    categories as (select * from {{ ref("int_wallet__categories") }}),

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
