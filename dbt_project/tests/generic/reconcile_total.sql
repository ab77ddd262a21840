{#
  A total here equals the total of another relation, to the cent; currencies are never added up:
  with `by`, the totals are compared for each value of that column.
#}
{% test reconcile_total(
    model,
    expression,
    to,
    to_expression=none,
    where=none,
    to_where=none,
    by=none
) %}
    {%- set group = by or "'all'" -%}
    with
        here as (
            select {{ group }} as part, coalesce(sum({{ expression }}), 0) as total
            from {{ model }}
            {% if where %} where {{ where }} {% endif %}
            {% if by %} group by {{ by }} {% endif %}
        ),

        there as (
            select
                {{ group }} as part,
                coalesce(sum({{ to_expression or expression }}), 0) as total
            from {{ to }}
            {% if to_where %} where {{ to_where }} {% endif %}
            {% if by %} group by {{ by }} {% endif %}
        )

    select
        coalesce(here.part, there.part) as part,
        here.total as total_here,
        there.total as total_there
    from here
    full outer join there on here.part = there.part
    where coalesce(here.total, 0) <> coalesce(there.total, 0)
{% endtest %}
