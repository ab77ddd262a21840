{#
  P(alive) of a "buy till you die" model after `left_after` chances to leave, x repeat order days,
  the last t_x and today T weeks after the first:
  1 / (1 + a / (b + left_after - 1) * ((alpha + T) / (alpha + t_x)) ^ (r + x)).
  BG/NBD (Fader, Hardie & Lee 2005): left_after = x, and 1 where x = 0.
  MBG/NBD (Batislam et al. 2007): left_after = x + 1. The power is cut at e^700, where P is 0 anyway.
#}
{% macro p_alive(left_after, p="") -%}
    case
        when {{ left_after }} = 0
        then cast(1 as {{ type_double() }})
        else
            1 / (
                1 + exp(
                    least(
                        700,
                        ln({{ p }}a / ({{ p }}b + {{ left_after }} - 1))
                        + ({{ p }}r + repeat_day_count)
                        * ln(
                            ({{ p }}alpha + age_weeks) / ({{ p }}alpha + recency_weeks)
                        )
                    )
                )
            )
    end
{%- endmacro %}

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
