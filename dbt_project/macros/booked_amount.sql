{#
  An amount of an order in the currency of its row: nothing when the order was cancelled or a test,
  converted otherwise. Unknown stays unknown. Expects `is_booked` and `exchange_rate` beside it.
#}
{% macro booked_amount(expression) -%}
    case
        when not is_booked
        then cast(0 as {{ type_amount() }})
        when exchange_rate = 1
        then cast({{ expression }} as {{ type_amount() }})
        else
            cast(
                cast({{ expression }} as {{ type_amount() }})
                * exchange_rate as {{ type_amount() }}
            )
    end
{%- endmacro %}
