{#
  Exact sums for correlations: per pair of items (and item with itself, a <= b) the complete answers,
  the sum of each and of their product. `relation` has one row per `unit` and item with its `score`
  as a decimal; `keys` part it into groups that are summed apart.
#}
{% macro cross_products(relation, keys, unit="response_key") -%}
    select
        {% for key in keys %} a.{{ key }}, {% endfor %}
        a.item as item_a,
        b.item as item_b,
        count(*) as answer_count,
        sum(a.score) as sum_a,
        sum(b.score) as sum_b,
        sum({{ wide_product("a.score", "b.score", 6) }}) as sum_ab
    from {{ relation }} as a
    inner join
        {{ relation }} as b on a.{{ unit }} = b.{{ unit }}
        {% for key in keys %} and a.{{ key }} = b.{{ key }} {% endfor %}
        and a.item <= b.item
    group by {% for key in keys %} a.{{ key }}, {% endfor %} a.item, b.item
{%- endmacro %}
