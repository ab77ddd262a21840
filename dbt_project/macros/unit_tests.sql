{#
  The rows that a unit test gives a model. On Spark they are one list of values: a union would be planned row by row, and
  anew wherever the model reads them.
#}
{% macro get_fixture_sql(rows, column_name_to_data_types) -%}
    {{ adapter.dispatch("given_rows", "loyalty")(rows, column_name_to_data_types) }}
{%- endmacro %}

{% macro default__given_rows(rows, column_name_to_data_types) -%}
    {{ dbt.get_fixture_sql(rows, column_name_to_data_types) }}
{%- endmacro %}

{% macro spark__given_rows(rows, column_name_to_data_types) -%}
    {%- if rows -%}
        {%- set types = {} -%}
        {%- for column in adapter.get_columns_in_relation(this) -%}
            {%- do types.update({column.name: column.data_type}) -%}
        {%- endfor -%}
        select *
        from
        values
            {%- for row in rows %}
                {%- set given = format_row(row, types) %}
                (
                    {%- for name, type in types.items() %}
                        {{ given.get(name) or safe_cast("null", type) }}
                        {%- if not loop.last %}, {% endif %}
                    {%- endfor %}
                )
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
            as given({{ types | join(", ") }})
    {%- else -%} {{ dbt.get_fixture_sql(rows, column_name_to_data_types) }}
    {%- endif -%}
{%- endmacro %}

{#
  PostgreSQL shows a decimal with as many zeros as it was computed with, and dbt compares what is shown: 6 is not 6.0000.
  So numbers are compared there without them, and doubles to 15 digits.
#}
{% macro postgres__get_unit_test_sql(
    main_sql, expected_fixture_sql, expected_column_names
) -%}
    {{
        default__get_unit_test_sql(
            postgres_without_zeros(main_sql, expected_column_names),
            postgres_without_zeros(expected_fixture_sql, expected_column_names),
            expected_column_names,
        )
    }}
{%- endmacro %}

{% macro postgres_without_zeros(sql, column_names) -%}
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

{#
  Spark shows a double with all its digits, 7.800000000000001 for 7.8, and a decimal with the zeros of its type: both are
  compared to 15 digits.
#}
{% macro spark__get_unit_test_sql(
    main_sql, expected_fixture_sql, expected_column_names
) -%}
    {{
        default__get_unit_test_sql(
            with_short_numbers(main_sql, expected_column_names),
            with_short_numbers(expected_fixture_sql, expected_column_names),
            expected_column_names,
        )
    }}
{%- endmacro %}

{% macro with_short_numbers(sql, column_names) -%}
    select
        {%- for name in column_names %}
            {%- set text = "cast(" ~ name ~ " as string)" %}
            case
                when
                    regexp_like(typeof({{ name }}), 'double|decimal')
                    and {{ name }} is not null
                then format_string('%.14e', try_cast({{ text }} as double))
                else {{ text }}
            end as {{ name }}
            {%- if not loop.last %}, {% endif %}
        {%- endfor %}
    from ({{ sql }}) as shown
{%- endmacro %}
