{# Names of a relation's columns; empty while parsing and inside unit tests, where nothing can be asked. #}
{% macro column_names(relation) -%}
    {%- if not execute -%} {{ return([]) }} {%- endif -%}
    {{
        return(
            adapter.get_columns_in_relation(relation) | map(attribute="name") | list
        )
    }}
{%- endmacro %}

{#
  A user's own columns: every `x_...` column of `relation`, written `, alias.x_a, alias.x_b`.
  They go unchanged from the export to the core tables; no model of this project reads their content.
#}
{% macro x_columns(relation, alias=none) -%}
    {%- for name in column_names(relation) if name.startswith("x_") -%}
        , {% if alias %} {{ alias }}.{% endif %}{{ adapter.quote(name) }}
    {%- endfor -%}
{%- endmacro %}

{#
  Where a row came from, written at the end of every staging model:
  the file and line, the load, and what decides which version of a record is the newest.
#}
{% macro lineage_columns() -%}
    _source as source,
    _file,
    _line,
    _loaded_at,
    _version_at,
    _time_zone as time_zone,
    load_id,
    _load_seq
{%- endmacro %}

{# Every row of `relation` under its own `column` and once more under `all`, as the column `shown`. #}
{% macro also_as_all(relation, column, shown) -%}
    select {{ relation }}.*, {{ column }} as {{ shown }}
    from {{ relation }}
    union all
    select {{ relation }}.*, 'all' as {{ shown }}
    from {{ relation }}
{%- endmacro %}
