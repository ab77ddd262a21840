{# Whole days from `earlier` to `later`, both dates. #}
{% macro days_between(earlier, later) -%}
    {{ return(adapter.dispatch("days_between", "loyalty")(earlier, later)) }}
{%- endmacro %}

{% macro default__days_between(earlier, later) -%}
    (cast({{ later }} as date) - cast({{ earlier }} as date))
{%- endmacro %}

{% macro spark__days_between(earlier, later) -%}
    datediff(cast({{ later }} as date), cast({{ earlier }} as date))
{%- endmacro %}

{# The date `days` days after a date; `days` is a number or a SQL expression. #}
{% macro add_days(date, days) -%}
    {{ return(adapter.dispatch("add_days", "loyalty")(date, days)) }}
{%- endmacro %}

{% macro default__add_days(date, days) -%}
    (cast({{ date }} as date) + cast({{ days }} as integer))
{%- endmacro %}

{% macro spark__add_days(date, days) -%}
    date_add(cast({{ date }} as date), cast({{ days }} as integer))
{%- endmacro %}

{# The date `months` months after a date, cut to the month's last day (31 January + 1 = 28 February). #}
{% macro add_months(date, months) -%}
    {{ return(adapter.dispatch("add_months", "loyalty")(date, months)) }}
{%- endmacro %}

{% macro default__add_months(date, months) -%}
    cast(
        cast({{ date }} as date)
        + cast({{ months }} as integer) * interval '1 month' as date
    )
{%- endmacro %}

{% macro spark__add_months(date, months) -%}
    add_months(cast({{ date }} as date), cast({{ months }} as integer))
{%- endmacro %}

{# First day of the date's calendar month. #}
{% macro month_start(date) -%}
    cast(date_trunc('month', {{ date }}) as date)
{%- endmacro %}

{# Monday of the date's week. #}
{% macro week_start(date) -%}
    cast(date_trunc('week', {{ date }}) as date)
{%- endmacro %}

{# Calendar months from `earlier` to `later`: 31 January to 1 February is 1. #}
{% macro months_between(earlier, later) -%}
    cast(
        (extract(year from {{ later }}) - extract(year from {{ earlier }})) * 12
        + extract(month from {{ later }})
        - extract(month from {{ earlier }}) as integer
    )
{%- endmacro %}

{# Start of the window of so many months that ends at `as_of`: (window_start, as_of]; 0 months = all time. #}
{% macro window_start(as_of, months) -%}
    {%- if months | int == 0 -%} cast('1900-01-01' as date)
    {%- else -%} {{ add_months(as_of, -(months | int)) }}
    {%- endif -%}
{%- endmacro %}

{# How many `unit`s (hour, minute, second) begin after `earlier` and not after `later`, as a whole number. #}
{% macro time_between(earlier, later, unit) -%}
    {{ return(adapter.dispatch("time_between", "loyalty")(earlier, later, unit)) }}
{%- endmacro %}

{% macro default__time_between(earlier, later, unit) -%}
    cast({{ dbt.datediff(earlier, later, unit) }} as bigint)
{%- endmacro %}

{# dbt counts elapsed units on Spark, and begun ones elsewhere. #}
{% macro spark__time_between(earlier, later, unit) -%}
    cast(
        (
            unix_timestamp(date_trunc('{{ unit }}', {{ later }}))
            - unix_timestamp(date_trunc('{{ unit }}', {{ earlier }}))
        )
        / {{ {"hour": 3600, "minute": 60, "second": 1}[unit] }} as bigint
    )
{%- endmacro %}
