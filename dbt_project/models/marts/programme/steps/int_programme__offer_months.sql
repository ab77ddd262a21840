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
with
    sums as (select * from {{ ref("int_programme__offer_sums") }}),

    ranges as (select * from {{ ref("int_programme__offer_ranges") }}),

    months as (select * from {{ ref("dim_months") }}),

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
