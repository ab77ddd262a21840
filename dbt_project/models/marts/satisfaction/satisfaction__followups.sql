with
    followups as (select * from {{ ref("int_satisfaction__followups") }}),

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
            {{ count_where("is_contacted_in_time") }} as in_time_count,
            count(followup_minutes) as contacted_count,
            count(has_bought_again) as outcome_n,
            {{ count_where("has_bought_again") }} as bought_again_count,
            count(has_recovered) as asked_again_n,
            {{ count_where("has_recovered") }} as recovered_count
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
            {{ shown_rate("in_time", "in_time_count", "due_count") }},
            contacted_count,
            outcome_n,
            bought_again_count,
            {{ shown_rate("repurchase", "bought_again_count", "outcome_n") }},
            asked_again_n,
            recovered_count,
            {{ shown_rate("recovered", "recovered_count", "asked_again_n") }}
        from counted
    )

select *
from final
