{#
  A figure, empty where something that it rests on was never delivered: what was not observed is unknown, not 0.
  `what` is a row of dim_delivered, or a list of them, all of which are needed. A unit test has everything.
#}
{% macro when_delivered(what, figure) -%}
    {%- set needed = [what] if what is string else what -%}
    {%- if model.resource_type == "unit_test" -%} {{ figure }}
    {%- else -%}
        case
            when
                (
                    select count(*)
                    from {{ ref("dim_delivered") }}
                    where what in ('{{ needed | join("', '") }}')
                )
                = {{ needed | length }}
            then {{ figure }}
        end
    {%- endif -%}
{%- endmacro %}

{# The same for a sum that also rests on other feeds: it stays what it is, but a 0 is shown only where all was delivered. #}
{% macro zero_when_delivered(what, figure) -%}
    coalesce(nullif({{ figure }}, 0), {{ when_delivered(what, figure) }})
{%- endmacro %}

{# What a customer spent with us in a category, 0 where nothing; only order lines have categories. #}
{% macro own_spend(amount, category) -%}
    case
        when {{ amount }} is not null
        then {{ amount }}
        when {{ category }} = 'all'
        then {{ when_delivered("customer_orders", "0") }}
        else {{ when_delivered(["customer_orders", "order_lines"], "0") }}
    end
{%- endmacro %}
