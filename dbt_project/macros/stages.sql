{#
  The stage of a customer on a day, from the order days until then: lapsed, new, regular, old, or loyal where the old
  show the signs of it (`is_loyal`). A customer who was there when the data began is never new: it is not known since when.
#}
{% macro stage_on(
    day,
    first_date,
    last_date,
    order_day_count,
    is_left_truncated,
    is_loyal="false"
) -%}
    case
        when {{ order_day_count }} = 0
        then null
        when {{ last_date }} <= {{ add_days(day, -var("churn_days")) }}
        then 'lapsed'
        when
            not {{ is_left_truncated }}
            and (
                {{ order_day_count }} = 1
                or {{ days_between(first_date, day) }} < {{ var("stage_new_days") }}
            )
        then 'new'
        when {{ days_between(first_date, day) }} < {{ var("stage_old_days") }}
        then 'regular'
        when {{ is_loyal }}
        then 'loyal'
        else 'old'
    end
{%- endmacro %}
