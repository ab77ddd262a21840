{#
  The customers that the recovery paradox compares: respondents whose first and only complaint was just solved fast, was not, and those
  who never failed; in strata of how often they bought and what they had answered the wave before.
#}
with
    experiences as (
        select *
        from {{ ref("fct_survey_experiences") }}
        where respondent_type = 'customer' and customer_key is not null
    ),

    complaints as (select * from {{ ref("fct_ticket_outcomes") }} where is_complaint),

    earlier as (
        select
            response_key,
            lag(satisfaction_class) over (
                partition by source, survey_id, customer_key
                order by submitted_at, md5(response_key)
            ) as previous_class
        from experiences
    ),

    failed as (
        select
            experiences.response_key,
            count(complaints.ticket_key) as failure_count,
            max(complaints.opened_date) as opened_date,
            max(complaints.resolved_date) as resolved_date,
            max(complaints.speed) as speed
        from experiences
        inner join
            complaints
            on experiences.customer_key = complaints.customer_key
            and complaints.opened_date <= experiences.submitted_date
        group by experiences.response_key
    ),

    grouped as (
        select
            experiences.*,
            case
                -- a problem without a complaint is a failure that was not seen
                when
                    failed.response_key is null
                    and not coalesce(experiences.has_problem, false)
                then 'never failed'
                when failed.failure_count != 1
                then null
                when
                    failed.opened_date
                    <= {{
                        add_days(
                            "experiences.submitted_date", -var("survey_base_days")
                        )
                    }}
                then null
                when
                    failed.speed = 'fast'
                    and failed.resolved_date <= experiences.submitted_date
                then 'recovered'
                when
                    {{ add_days("failed.opened_date", var("landmark_days")) }}
                    <= experiences.submitted_date
                then 'not recovered'
            end as recovery,
            coalesce(earlier.previous_class, 'not asked') as previous_class
        from experiences
        inner join earlier on experiences.response_key = earlier.response_key
        left join failed on experiences.response_key = failed.response_key
    ),

    final as (
        select
            response_key,
            source,
            survey_id,
            wave,
            customer_key,
            recovery,
            prior_frequency_tercile,
            previous_class,
            overall_score,
            case
                when has_repurchased then 1 when not has_repurchased then 0
            end as repurchased
        from grouped
        -- customers who failed twice, long ago, or still wait are in neither group
        where recovery is not null
    )

select *
from final
