{#
  How a table is made on DuckDB: in one statement, where dbt's own way makes a second table, renames
  both and drops the old one. Nothing reads the work file while it is built, and when a statement
  fails, its transaction is undone and the old table stays.
#}
{% materialization table, adapter = "duckdb", supported_languages = ["sql"] %}
    {%- set relation = this.incorporate(type="table") -%}
    {%- set existing = load_cached_relation(this) -%}
    {{- run_hooks(pre_hooks) -}}
    {%- if existing is not none and existing.is_view -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {% call statement("main") -%}
        {{ replace_table(relation, compiled_code) }}
    {%- endcall %}
    {{- run_hooks(post_hooks) -}}
    {%- do adapter.commit() -%}
    {{ return({"relations": [relation]}) }}
{% endmaterialization %}

{# The statement: a table with a contract gets the contract's types, after dbt has compared its columns with the query's. #}
{% macro replace_table(relation, sql) -%}
    {%- if config.get("contract").enforced -%}
        {{ get_assert_columns_equivalent(sql) }}
        create or replace table {{ relation }} {{ get_table_columns_and_constraints() }};
        insert into {{ relation }} {{ get_column_names() }} (
        {{ get_select_subquery(sql) }}
        );
    {%- else -%} create or replace table {{ relation }} as ({{ sql }})
    {%- endif -%}
{%- endmacro %}
