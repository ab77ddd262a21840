{#
  Respondents who were dissatisfied or detractors: whether somebody contacted them within followup_hours, and what they did and
  said after. The state is read when those hours are over, the outcome afterwards, as for tickets.
#}
{%- set wait_days = (var("followup_hours") / 24) | round(0, "ceil") | int -%}
with
    responses as (select * from {{ ref("fct_survey_responses") }}),

    order_days as (select * from {{ ref("fct_respondent_days") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    as_of as (select * from {{ ref("dim_as_of") }}),

    following as (
        select
            *,
            lead(satisfaction_class) over next_answer as next_class,
            coalesce(lead(nps_class) over next_answer, 'none') as next_nps_class,
            lead(submitted_date) over next_answer as next_date
        from {{ ref("fct_survey_results") }}
        where not is_duplicate and respondent_type = 'customer'
        window
            next_answer as (
                partition by source, survey_id, coalesce(customer_key, response_key)
                order by submitted_at, md5(response_key)
            )
    ),

    unhappy as (
        select
            following.*,
            responses.followed_up_at,
            {{ add_days("following.submitted_date", wait_days) }} as landmark_date,
            {{
                add_days(
                    "following.submitted_date", wait_days + var("horizon_days") | int
                )
            }} as outcome_end_date,
            case
                when responses.followed_up_at >= following.submitted_at
                then
                    {{
                        time_between(
                            "following.submitted_at",
                            "responses.followed_up_at",
                            "minute",
                        )
                    }}
            end as followup_minutes
        from following
        inner join responses on following.response_key = responses.response_key
        where
            following.satisfaction_class = 'dissatisfied'
            or following.nps_class = 'detractor'
    ),

    bought as (
        select
            unhappy.response_key, sum(order_days.kept_order_count) as kept_order_count
        from unhappy
        inner join
            order_days
            on unhappy.customer_key = order_days.customer_key
            and order_days.calendar_date > unhappy.landmark_date
            and order_days.calendar_date <= unhappy.outcome_end_date
        group by unhappy.response_key
    ),

    -- a survey without any contact does not export it
    exported as (
        select source, survey_id, count(followed_up_at) > 0 as has_contacts
        from responses
        group by source, survey_id
    ),

    followups as (
        select
            unhappy.response_key,
            unhappy.source,
            unhappy.survey_id,
            unhappy.wave,
            unhappy.customer_key,
            unhappy.nps_class = 'detractor' as is_detractor,
            unhappy.followup_minutes,
            exported.has_contacts,
            case
                when exported.has_contacts and unhappy.landmark_date <= as_of.as_of
                then
                    coalesce(
                        unhappy.followup_minutes <= 60 * {{ var("followup_hours") }},
                        false
                    )
            end as is_contacted_in_time,
            case
                when
                    customers.customer_key is not null
                    and unhappy.outcome_end_date <= as_of.as_of
                then
                    {{
                        when_delivered(
                            "customer_orders",
                            "coalesce(bought.kept_order_count, 0) > 0",
                        )
                    }}
            end as has_bought_again,
            case
                when
                    unhappy.next_date > unhappy.landmark_date
                    and unhappy.next_class is not null
                then
                    unhappy.next_class != 'dissatisfied'
                    and unhappy.next_nps_class != 'detractor'
            end as has_recovered
        from unhappy
        cross join as_of
        inner join exported using (source, survey_id)
        left join customers on unhappy.customer_key = customers.customer_key
        left join bought on unhappy.response_key = bought.response_key
    ),

    groups as (
        select 'all' as contact, followups.*
        from followups
        union all
        select
            case
                when is_contacted_in_time then 'in time' else 'late or never'
            end as contact,
            followups.*
        from followups
        where is_contacted_in_time is not null
    ),

    counted as (
        select
            source,
            survey_id,
            wave,
            contact,
            count(*) as unhappy_count,
            {{ count_where("is_detractor") }} as detractor_count,
            {{ count_where("is_contacted_in_time is not null") }} as due_count,
            case
                when max(case when has_contacts then 1 end) = 1
                then {{ count_where("is_contacted_in_time") }}
            end as in_time_count,
            case
                when max(case when has_contacts then 1 end) = 1
                then count(followup_minutes)
            end as contacted_count,
            count(has_bought_again) as outcome_count,
            {{ count_among("has_bought_again", "has_bought_again") }}
            as bought_again_count,
            count(has_recovered) as asked_again_count,
            {{ count_among("has_recovered", "has_recovered") }} as recovered_count
        from groups
        group by source, survey_id, wave, contact
    ),

    final as (
        select
            source,
            survey_id,
            wave,
            contact,
            unhappy_count,
            detractor_count,
            due_count,
            due_count < {{ var("min_base") }} as is_suppressed,
            in_time_count,
            {{ suppress_small_rate("in_time", "in_time_count", "due_count") }},
            contacted_count,
            outcome_count,
            bought_again_count,
            {{
                suppress_small_rate(
                    "repurchase", "bought_again_count", "outcome_count"
                )
            }},
            asked_again_count,
            recovered_count,
            {{
                suppress_small_rate(
                    "recovered", "recovered_count", "asked_again_count"
                )
            }}
        from counted
    )

select *
from final
