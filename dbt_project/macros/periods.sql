{# Rows of `relation` placed in the calendar quarter of `date_column`, and once more in its year. #}
{% macro by_period(relation, date_column) -%}
    {%- for grain in ["quarter", "year"] %}
        select
            {{ relation }}.*,
            '{{ grain }}' as period_grain,
            cast(
                date_trunc('{{ grain }}', {{ date_column }}) as date
            ) as period_start_date
        from {{ relation }}
        {% if not loop.last %}
            union all
        {% endif %}
    {%- endfor %}
{%- endmacro %}

{# What a row of brand figures is about: the same list for a panel, a survey and market totals. #}
{% macro brand_period_grain() -%}
    source, category, period_grain, period_start_date
{%- endmacro %}

{# Its key. #}
{% macro brand_period_key() -%}
    {{ made_key(["source", "category", "period_grain", "period_start_date", "brand"]) }}
{%- endmacro %}
