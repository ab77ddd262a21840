{# What a row of brand figures speaks of: the same list for a panel, a survey and market totals. #}
{% macro brand_period_grain() -%}
    source, category, period_grain, period_start_date
{%- endmacro %}

{# Its key. #}
{% macro brand_period_key() -%}
    {{ made_key(["source", "category", "period_grain", "period_start_date", "brand"]) }}
{%- endmacro %}
