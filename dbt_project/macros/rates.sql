{#
  A share with its Wilson interval, as three columns `<name>_rate`, `<name>_rate_low` and `<name>_rate_high`;
  empty on a base under min_base.
#}
{% macro shown_rate(name, hits, base) -%}
    {%- set rate = div(hits, base) -%}
    {%- for column, value in [
        ["", rate],
        ["_low", wilson_low(rate, base)],
        ["_high", wilson_high(rate, base)],
    ] %}
        case
            when {{ base }} >= {{ var("min_base") }} then {{ value }}
        end as {{ name }}_rate{{ column }}
        {%- if not loop.last %}, {% endif %}
    {%- endfor %}
{%- endmacro %}

{# part / whole of a month, empty while the month is `running` and on a base under min_base. #}
{% macro month_rate(part, whole, base, running) -%}
    case
        when {{ base }} >= {{ var("min_base") }} and not {{ running }}
        then {{ div(part, whole) }}
    end
{%- endmacro %}

{# How many rows meet a condition, as a bigint. #}
{% macro count_where(condition) -%}
    cast(count(case when {{ condition }} then 1 end) as bigint)
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
  A mean with its 95 % interval, mean -+ z * sqrt(variance / base), as three columns `<name>`, `<name>_low` and
  `<name>_high`; from exact sums of x and x squared, empty on a base under min_base.
#}
{% macro mean_with_interval(name, total, squares, base) -%}
    {%- set mean = div(total, base) -%}
    {%- set error = (
        "sqrt(" ~ div(variance_of_sums(base, total, squares), base) ~ ")"
    ) -%}
    {%- for column, value in [
        ["", mean],
        ["_low", mean ~ " - " ~ var("z_score") ~ " * " ~ error],
        ["_high", mean ~ " + " ~ var("z_score") ~ " * " ~ error],
    ] %}
        case
            when {{ base }} >= {{ var("min_base") }} then {{ value }}
        end as {{ name }}{{ column }}
        {%- if not loop.last %}, {% endif %}
    {%- endfor %}
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
