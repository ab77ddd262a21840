{# A relation of one column `n`: 0, 1, ... count - 1. For spines; join and cut it by a condition. #}
{% macro numbers(count) -%}
    {%- set digits = (count - 1) | string | length -%}
    select n
    from
        (
            select
                {%- for digit in range(digits) %}
                    d{{ digit }}.n * {{ 10**digit }}
                    {% if not loop.last %} + {% endif %}
                {%- endfor %} as n
            from
            {%- for digit in range(digits) %}
                    (
                        {%- for n in range(10) %}
                            select {{ n }} as n
                            {% if not loop.last %}
                                union all
                            {% endif %}
                        {%- endfor %}
                    ) as d{{ digit }}
                {% if not loop.last %} cross join {% endif %}
            {%- endfor %}
        ) as counted
    where n < {{ count }}
{%- endmacro %}
