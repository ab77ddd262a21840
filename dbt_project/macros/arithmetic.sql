{# a / b as a double, NULL when b is 0. Sums stay decimal or integer; divide only at the end. #}
{% macro div(numerator, denominator) -%}
    (
        cast({{ numerator }} as {{ type_double() }})
        / nullif(cast({{ denominator }} as {{ type_double() }}), 0)
    )
{%- endmacro %}

{# 1 where a is above b, -1 below, 0 where they are alike; engines give sign() different types. #}
{% macro sign_of_difference(a, b) -%}
    case when {{ a }} > {{ b }} then 1 when {{ a }} < {{ b }} then -1 else 0 end
{%- endmacro %}

{# The `share` quantile (0..1) of a column, within the group; doubles, because decimals would be cut. #}
{% macro percentile(expression, share) -%}
    percentile_cont({{ share }}) within group (
        order by cast({{ expression }} as {{ type_double() }})
    )
{%- endmacro %}

{#
  A double as a decimal of so many digits, by way of three more: engines disagree on halves, unless both see the same
  decimal first.
#}
{% macro rounded(value, digits, precision=28) -%}
    cast(
        cast({{ value }} as decimal(38, {{ digits + 3 }})) as decimal(
            {{ precision }}, {{ digits }}
        )
    )
{%- endmacro %}

{#
  Wilson's interval of a proportion p on n observations (n may be an effective, fractional base):
  (p + z2/2n -+ z*sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n). NULL when n is 0 or unknown.
  The bounds are cut to 0..1 and hold p, so that rounding leaves neither the scale nor the interval.
#}
{% macro wilson_low(p, n, z=none) -%} {{ wilson_bound(p, n, "-", z) }} {%- endmacro %}

{% macro wilson_high(p, n, z=none) -%} {{ wilson_bound(p, n, "+", z) }} {%- endmacro %}

{% macro wilson_bound(p, n, sign, z) -%}
    {%- set z = z or var("z_score") -%}
    {%- set z2 = z * z -%}
    {%- set p = "cast(" ~ p ~ " as " ~ type_double() ~ ")" -%}
    {%- set n = "cast(" ~ n ~ " as " ~ type_double() ~ ")" -%}
    {%- set bound -%}
        (
            {{ p }} + {{ z2 }} / (2 * {{ n }})
            {{ sign }} {{ z }} * sqrt(
                greatest(0, {{ p }} * (1 - {{ p }})) / {{ n }}
                + {{ z2 }} / (4 * {{ n }} * {{ n }})
            )
        )
        / (1 + {{ z2 }} / {{ n }})
    {%- endset -%}
    case
        when {{ p }} is null or coalesce({{ n }}, 0) <= 0
        then null
        else
            {% if sign == "-" %} greatest(0, least({{ p }}, {{ bound }}))
            {% else %} least(1, greatest({{ p }}, {{ bound }}))
            {% endif %}
    end
{%- endmacro %}

{#
  A bound of the difference p - q of two proportions on n and m observations, made of their Wilson intervals
  (Newcombe 1998, Statistics in Medicine 17:873-890, method 10); `sign` is - or +.
#}
{% macro difference_bound(sign, p, n, q, m) -%}
    {%- set near = wilson_low(p, n) if sign == "-" else wilson_high(p, n) -%}
    {%- set far = wilson_high(q, m) if sign == "-" else wilson_low(q, m) -%}
    {{ p }} - {{ q }} {{ sign }} sqrt(
        ({{ p }} - ({{ near }})) * ({{ p }} - ({{ near }}))
        + ({{ q }} - ({{ far }})) * ({{ q }} - ({{ far }}))
    )
{%- endmacro %}

{# So many percent of a count, rounded up to a whole number: (count * percent + 99) // 100. #}
{% macro upper_share(count, percent) -%}
    cast(floor({{ div(count ~ " * " ~ percent ~ " + 99", 100) }}) as bigint)
{%- endmacro %}
