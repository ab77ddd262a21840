{# The days on which customers who answered a survey ordered, and where a gap after one made them lapse. #}
with
    respondents as (
        select customer_key
        from {{ ref("fct_survey_responses") }}
        where customer_key is not null
        group by customer_key
    ),

    days as (
        select *
        from {{ ref("fct_customer_order_days") }}
        where base = 'customer' and order_count > 0
    ),

    ordered as (
        select
            days.base_key as customer_key,
            days.calendar_date,
            days.kept_order_count,
            {{ add_days("days.calendar_date", var("churn_days")) }} as lapse_date,
            lead(days.calendar_date) over (
                partition by days.base_key order by days.calendar_date
            ) as next_date
        from days
        inner join respondents on days.base_key = respondents.customer_key
    ),

    final as (
        select
            customer_key,
            calendar_date,
            kept_order_count,
            -- no longer active from this day on, until the next order if there is one
            case
                when next_date is null or next_date > lapse_date then lapse_date
            end as lapse_date
        from ordered
    )

select *
from final
