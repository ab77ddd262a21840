{# Plain schema names (staging, core, marts ...): the file is the pipeline's own, so nothing needs a prefix. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
