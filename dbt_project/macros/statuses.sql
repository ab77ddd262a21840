{#
  The status of an order as the seed order_status_words has it: lower case, blanks for hyphens and underscores, without
  the prefix `wc-` that WooCommerce writes.
#}
{% macro status_word(column) -%}
    trim(
        regexp_replace(
            replace(replace(lower({{ column }}), '_', ' '), '-', ' '), '^ *wc ', ''
        )
    )
{%- endmacro %}
