{# Sums by channel and way of paying, from orders; by category, from what is in them. #}
{%- set sums = [
    "gross_amount",
    "net_amount",
    "promoted_amount",
    "aged_amount",
    "new_amount",
    "asked_quantity",
    "filled_quantity",
    "asked_line_count",
    "short_line_count",
] -%}
with
    categories as (select * from {{ ref("fct_order_categories") }}),

    orders as (
        select order_key, channel, payment_method
        from {{ ref("fct_orders") }}
        where is_counted
    ),

    answers as (select * from {{ ref("fct_order_satisfaction") }}),

    whole_orders as (
        select
            order_key,
            source,
            currency_code,
            month,
            sum(add_on_line_count) as add_on_line_count,
            {% for name in sums %}
                sum({{ name }}) as {{ name }} {%- if not loop.last %},{% endif %}
            {% endfor %}
        from categories
        group by order_key, source, currency_code, month
    ),

    final as (
        select
            whole_orders.source,
            whole_orders.currency_code,
            whole_orders.month,
            'order' as grain,
            coalesce(orders.channel, 'unknown') as channel,
            coalesce(orders.payment_method, 'unknown') as payment_method,
            cast(null as {{ dbt.type_string() }}) as category,
            count(*) as order_count,
            count(case when add_on_line_count > 0 then 1 end) as add_on_order_count,
            {% for name in sums %} sum({{ name }}) as {{ name }}, {% endfor %}
            sum(index_sum) as index_sum,
            sum(index_count) as index_count,
            sum(case when short_line_count > 0 then index_sum end) as short_index_sum,
            sum(
                case when short_line_count > 0 then index_count end
            ) as short_index_count
        from whole_orders
        inner join orders on whole_orders.order_key = orders.order_key
        left join answers on whole_orders.order_key = answers.order_key
        group by
            whole_orders.source,
            whole_orders.currency_code,
            whole_orders.month,
            coalesce(orders.channel, 'unknown'),
            coalesce(orders.payment_method, 'unknown')
        union all
        select
            categories.source,
            categories.currency_code,
            categories.month,
            'category',
            null,
            null,
            categories.category,
            count(*),
            count(case when add_on_line_count > 0 then 1 end),
            {% for name in sums %} sum({{ name }}) as {{ name }}, {% endfor %}
            sum(index_sum) as index_sum,
            sum(index_count) as index_count,
            sum(case when short_line_count > 0 then index_sum end) as short_index_sum,
            sum(case when short_line_count > 0 then index_count end)
        from categories
        left join answers on categories.order_key = answers.order_key
        group by
            categories.source,
            categories.currency_code,
            categories.month,
            categories.category
    )

select *
from final
