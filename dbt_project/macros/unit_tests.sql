{#
  PostgreSQL shows a decimal with as many zeros as it was computed with, and dbt compares what is shown: 6 is not 6.0000.
  So numbers are compared there without them, and doubles to 15 digits.
#}
{% macro postgres__get_unit_test_sql(
    main_sql, expected_fixture_sql, expected_column_names
) -%}
    {{
        default__get_unit_test_sql(
            without_zeros(main_sql, expected_column_names),
            without_zeros(expected_fixture_sql, expected_column_names),
            expected_column_names,
        )
    }}
{%- endmacro %}

{% macro without_zeros(sql, column_names) -%}
    select
        {%- for name in column_names %}
            {%- set text = "cast(" ~ name ~ " as text)" %}
            {%- set number %}
                case when {{ text }} ~ '^-?[0-9.]+(e[-+]?[0-9]+)?$' then {{ text }} end
            {%- endset %}
            case
                cast(pg_typeof({{ name }}) as text)
                when 'numeric'
                then cast(trim_scale(cast({{ number }} as numeric)) as text)
                when 'double precision'
                then
                    cast(
                        trim_scale(
                            cast(cast({{ number }} as double precision) as numeric)
                        ) as text
                    )
                else {{ text }}
            end as {{ name }}
            {%- if not loop.last %}, {% endif %}
        {%- endfor %}
    from ({{ sql }}) as shown
{%- endmacro %}
