{# Sums of counted orders by month and cut: everything, channel, way of paying, category. #}
{%- set cuts = {
    "all": "'all'",
    "channel": "channel",
    "payment_method": "payment_method",
    "category": "category",
} -%}
{%- set sums = [
    "order_count",
    "add_on_order_count",
    "gross_amount",
    "net_amount",
    "promoted_amount",
    "aged_amount",
    "new_amount",
    "asked_quantity",
    "filled_quantity",
    "asked_line_count",
    "short_line_count",
    "index_sum",
    "index_count",
    "short_index_sum",
    "short_index_count",
] -%}
{%- set line_sums = [
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
    months as (select * from {{ ref("dim_months") }}),

    categories as (select * from {{ ref("fct_order_categories") }}),

    answers as (select * from {{ ref("fct_order_satisfaction") }}),

    orders as (
        select
            order_key,
            coalesce(channel, 'unknown') as channel,
            coalesce(payment_method, 'unknown') as payment_method
        from {{ ref("fct_orders") }}
        where is_counted
    ),

    whole_orders as (
        select
            order_key,
            source,
            currency_code,
            month,
            sum(add_on_line_count) as add_on_line_count,
            {% for name in line_sums %}
                sum({{ name }}) as {{ name }} {%- if not loop.last %},{% endif %}
            {% endfor %}
        from categories
        group by order_key, source, currency_code, month
    ),

    -- by channel and way of paying: sums of orders; by category: sums of their parts
    sums as (
        select
            whole_orders.source,
            whole_orders.currency_code,
            whole_orders.month,
            'order' as grain,
            orders.channel,
            orders.payment_method,
            cast(null as {{ dbt.type_string() }}) as category,
            count(*) as order_count,
            count(case when add_on_line_count > 0 then 1 end) as add_on_order_count,
            {% for name in line_sums %} sum({{ name }}) as {{ name }}, {% endfor %}
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
            orders.channel,
            orders.payment_method
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
            {% for name in line_sums %} sum({{ name }}) as {{ name }}, {% endfor %}
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
    ),

    -- categories that were bought by channel and way of paying in a month
    ranges as (
        select distinct
            categories.source,
            categories.currency_code,
            categories.month,
            categories.category,
            orders.channel,
            orders.payment_method
        from categories
        inner join orders on categories.order_key = orders.order_key
        where categories.category <> 'unknown'
    ),

    cut as (
        {% for name, column in cuts.items() %}
            select
                source,
                currency_code,
                month,
                '{{ name }}' as offer_by,
                {{ column }} as offer,
                {% for sum in sums %}
                    sum({{ sum }}) as {{ sum }}{% if not loop.last %},{% endif %}
                {% endfor %}
            from sums
            where grain = '{{ "category" if name == "category" else "order" }}'
            group by
                source,
                currency_code,
                month
                {% if name != "all" %}, {{ column }}{% endif %}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    bought as (
        {% for name, column in cuts.items() %}
            select
                source,
                currency_code,
                month,
                '{{ name }}' as offer_by,
                {{ column }} as offer,
                count(distinct category) as bought_category_count
            from ranges
            group by
                source,
                currency_code,
                month
                {% if name != "all" %}, {{ column }}{% endif %}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    final as (
        select
            {{ made_key(["source", "currency_code", "month", "offer_by", "offer"]) }}
            as offer_month_key,
            cut.*,
            coalesce(bought.bought_category_count, 0) as bought_category_count,
            months.is_partial as is_partial_month
        from cut
        left join bought using (source, currency_code, month, offer_by, offer)
        inner join months using (month)
    )

select *
from final
