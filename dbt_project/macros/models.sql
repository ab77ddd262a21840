{# Bands of the probability of an order: above .70 high, below .30 low, the edges medium. #}
{% macro order_probability_band(probability) -%}
    case
        when cast({{ probability }} as decimal(18, 6)) > 0.70
        then 'high'
        when cast({{ probability }} as decimal(18, 6)) < 0.30
        then 'low'
        when {{ probability }} is not null
        then 'medium'
    end
{%- endmacro %}

{# What a yearly margin of 1 is worth when a share r stays every year, at interest i: r / (1 + i - r) (Gupta & Lehmann 2003). #}
{% macro margin_multiple(r, i) -%} {{ div(r, "1 + " ~ i ~ " - " ~ r) }} {%- endmacro %}
