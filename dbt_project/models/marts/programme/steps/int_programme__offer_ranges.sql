{# Which categories were bought by which channel and way of paying in a month. #}
with
    categories as (select * from {{ ref("fct_order_categories") }}),

    orders as (select * from {{ ref("fct_orders") }} where is_counted),

    final as (
        select distinct
            categories.source,
            categories.currency_code,
            categories.month,
            categories.category,
            coalesce(orders.channel, 'unknown') as channel,
            coalesce(orders.payment_method, 'unknown') as payment_method
        from categories
        inner join orders on categories.order_key = orders.order_key
        where categories.category <> 'unknown'
    )

select *
from final
