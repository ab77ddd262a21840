{# The engine's name of a 64-bit float. #}
{% macro type_double() -%}
    {{ return(adapter.dispatch("type_double", "loyalty")()) }}
{%- endmacro %}

{% macro default__type_double() -%} {{ return("double") }} {%- endmacro %}

{% macro postgres__type_double() -%} {{ return("double precision") }} {%- endmacro %}

{#
  A contract says `data_type: double` on every engine. PostgreSQL has another name for it, which is put in here, before
  dbt compares the types of a contract and creates the table with them.
#}
{% macro postgres__get_assert_columns_equivalent(sql) -%}
    {%- for column in model["columns"].values() if column.data_type == "double" -%}
        {%- do column.update({"data_type": type_double()}) -%}
    {%- endfor -%}
    {{ return(assert_columns_equivalent(sql)) }}
{%- endmacro %}

{#
  Money: 28 digits, 4 of them after the point. A cell of an export has at most 18; sums of cells, and products with a
  quantity or a rate of exchange, need more.
#}
{% macro type_amount() -%} {{ return("decimal(28, 4)") }} {%- endmacro %}

{# `expression` as `type`, NULL where it cannot be read as one. `type` is a plain SQL type. #}
{% macro try_cast(expression, type) -%}
    {{ return(adapter.dispatch("try_cast", "loyalty")(expression, type)) }}
{%- endmacro %}

{% macro default__try_cast(expression, type) -%}
    try_cast({{ expression }} as {{ type }})
{%- endmacro %}

{# PostgreSQL has no try_cast: only what looks like a number is cast. #}
{% macro postgres__try_cast(expression, type) -%}
    case
        when cast({{ expression }} as text) ~ '^\s*[-+]?\d+(\.\d+)?([eE][-+]?\d+)?\s*$'
        then cast({{ expression }} as {{ type }})
    end
{%- endmacro %}
