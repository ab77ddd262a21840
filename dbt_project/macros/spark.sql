{# What dbt-spark does otherwise, or not at all. #}
{# Texts in one, in order: dbt-spark's own leaves the order out without an error. #}
{% macro spark__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
    listagg({{ measure }}, {{ delimiter_text }}) within group ({{ order_by_clause }})
{%- endmacro %}

{#
  The rows of a seed, each value a text with its quotes and backslashes escaped, cast to the column's type. dbt-spark puts
  quotes around the unchanged value, and writes a missing value as the text None.
#}
{% macro spark__load_csv_rows(model, agate_table) %}
    {%- set types = model["config"].get("column_types", {}) -%}
    {%- set sql -%}
        insert into {{ this.render() }} values
        {%- for row in agate_table.rows %}
            (
                {%- for name in agate_table.column_names -%}
                    {%- set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
                    cast({{ spark_text(row[name]) }} as {{ type }})
                    {%- if not loop.last %}, {% endif %}
                {%- endfor -%}
            ){% if not loop.last %},{% endif %}
        {%- endfor -%}
    {%- endset -%}
    {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
    {{ return(sql) }}
{% endmacro %}

{# A value as a text of Spark's SQL, or null. #}
{% macro spark_text(value) -%}
    {%- if value is none -%} null
    {%- else -%}
        {%- set text = value | string | replace("\\", "\\\\") -%}
        '{{ dbt.escape_single_quotes(text) }}'
    {%- endif -%}
{%- endmacro %}
