{# The groups of a survey's people: all, of value (CM3 above 0), of high value (the upper 20 percent). #}
with
    people as (
        select source, survey_id, person_key
        from {{ ref("stat_satisfaction__people") }}
        where recency = 1
    ),

    customer_values as (
        select *
        from {{ ref("fct_customer_value_windows") }}
        where window_number = 0 and order_count > 0
    ),

    final as (
        select people.*, 'all' as segment
        from people
        union all
        select people.*, 'value' as segment
        from people
        inner join customer_values on people.person_key = customer_values.customer_key
        where customer_values.cm3_amount > 0
        union all
        select people.*, 'high_value' as segment
        from people
        inner join customer_values on people.person_key = customer_values.customer_key
        where customer_values.tier in ('top_5', 'next_15')
    )

select *
from final
