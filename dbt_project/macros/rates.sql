{# Whether a base is large enough to show a figure. #}
{% macro is_enough(base) -%} {{ base }} >= {{ var("min_base") }} {%- endmacro %}

{# A figure, empty on a base under min_base. #}
{% macro suppress_small(value, base) -%}
    case when {{ is_enough(base) }} then {{ value }} end
{%- endmacro %}

{# total / count, empty on a count under min_base. #}
{% macro suppress_small_mean(total, count) -%}
    {{ suppress_small(div(total, count), count) }}
{%- endmacro %}

{#
  A share with its Wilson interval, as three columns `<name>_rate`, `<name>_rate_low` and `<name>_rate_high`;
  empty on a base under min_base.
#}
{% macro suppress_small_rate(name, hits, base) -%}
    {%- set rate = div(hits, base) -%}
    {%- for column, value in [
        ["", rate],
        ["_low", wilson_low(rate, base)],
        ["_high", wilson_high(rate, base)],
    ] %}
        {{ suppress_small(value, base) }} as {{ name }}_rate{{ column }}
        {%- if not loop.last %}, {% endif %}
    {%- endfor %}
{%- endmacro %}

{#
  A figure with its interval, value -+ z error, as three columns `<name>`, `<name>_low` and `<name>_high`; empty where
  `when` does not hold. A figure that cannot be below `least` or above `most` has no interval beyond them.
#}
{% macro with_interval(name, value, error, when="true", least=none, most=none) -%}
    {%- set reach = var("z_score") ~ " * " ~ error -%}
    {%- set beyond = {
        "_low": value ~ " - " ~ reach ~ " < " ~ least if least is not none,
        "_high": value ~ " + " ~ reach ~ " > " ~ most if most is not none,
    } -%}
    {%- for column, sign, limit in [
        ["", none, none],
        ["_low", "-", least],
        ["_high", "+", most],
    ] %}
        case
            {% if limit is not none %}
                when {{ when }} and {{ beyond[column] }} then {{ limit }}
            {% endif %}
            when {{ when }}
            then {{ value }} {%- if sign %} {{ sign }} {{ reach }} {% endif %}
        end as {{ name }}{{ column }}
        {%- if not loop.last %}, {% endif %}
    {%- endfor %}
{%- endmacro %}

{# part / whole of a month, empty while the month is `running` and on a base under min_base. #}
{% macro month_rate(part, whole, base, running) -%}
    case
        when {{ is_enough(base) }} and not {{ running }} then {{ div(part, whole) }}
    end
{%- endmacro %}

{# How many rows meet a condition, as a bigint. #}
{% macro count_where(condition) -%}
    cast(count(case when {{ condition }} then 1 end) as bigint)
{%- endmacro %}

{# The same among the rows where it is known: empty, not 0, where it is known in no row. #}
{% macro count_among(known, condition) -%}
    case when count({{ known }}) > 0 then {{ count_where(condition) }} end
{%- endmacro %}

{# Unbiased variance from exact sums of x and x squared; NULL below two observations. #}
{% macro variance_of_sums(count, total, squares) -%}
    case
        when {{ count }} > 1
        then
            greatest(
                0,
                (
                    cast({{ squares }} as {{ type_double() }})
                    - {{ div(total, count) }} * cast({{ total }} as {{ type_double() }})
                )
                / ({{ count }} - 1)
            )
    end
{%- endmacro %}

{#
  a * b of two decimals, wide enough that no engine overflows: DuckDB multiplies decimals of up to 18 digits in
  18 digits. `scale` digits of each factor count.
#}
{% macro wide_product(a, b, scale=4) -%}
    cast({{ a }} as decimal(19, {{ scale }}))
    * cast({{ b }} as decimal(19, {{ scale }}))
{%- endmacro %}

{#
  a * b of two amounts, cut to cents: 34 digits before the point, so that also sums of large amounts in yen or rupiah
  can be squared and the squares added up.
#}
{% macro amount_product(a, b) -%}
    cast({{ a }} as decimal(28, 2)) * cast({{ b }} as decimal(28, 2))
{%- endmacro %}

{#
  A mean with its 95 % interval, mean -+ z * sqrt(variance / base), as three columns `<name>`, `<name>_low` and
  `<name>_high`; from exact sums of x and x squared, empty on a base under min_base.
#}
{% macro mean_with_interval(name, total, squares, base, least=none, most=none) -%}
    {{
        with_interval(
            name,
            div(total, base),
            "sqrt(" ~ div(variance_of_sums(base, total, squares), base) ~ ")",
            when=is_enough(base),
            least=least,
            most=most,
        )
    }}
{%- endmacro %}

{#
  A share pulled to the rate of its kind, the more the fewer the cases (empirical Bayes, beta-binomial with correlation
  rho): (part rho + (1 - rho) mean) / (base rho + 1 - rho), of `priors`. As it is where rho is unknown.
#}
{% macro shrunk_rate(name, part, base, priors="priors") -%}
    {%- set rho = priors ~ "." ~ name ~ "_rho" -%}
    {%- set mean = priors ~ "." ~ name ~ "_mean" -%}
    case
        when {{ base }} = 0
        then null
        when {{ rho }} is null
        then {{ div(part, base) }}
        else
            {{
                div(
                    part ~ " * " ~ rho ~ " + (1 - " ~ rho ~ ") * " ~ mean,
                    base ~ " * " ~ rho ~ " + 1 - " ~ rho,
                )
            }}
    end
{%- endmacro %}

{#
  The same for a mean, of `priors` by the analysis of variance: (total between + mean within) / (count between + within);
  the mean of the kind where touchpoints do not differ.
#}
{% macro shrunk_mean(name, total, count, priors="score_priors") -%}
    {%- set mean = priors ~ "." ~ name ~ "_mean" -%}
    {%- set within = priors ~ "." ~ name ~ "_variance_within" -%}
    {%- set between = priors ~ "." ~ name ~ "_variance_between" -%}
    case
        when {{ count }} = 0
        then null
        when {{ between }} > 0
        then
            {{
                div(
                    total ~ " * " ~ between ~ " + " ~ mean ~ " * " ~ within,
                    count ~ " * " ~ between ~ " + " ~ within,
                )
            }}
        when {{ between }} = 0
        then {{ mean }}
    end
{%- endmacro %}
