{# A case is a person asked in one mode, however often; its last disposition counts, unless an earlier one was complete. #}
with
    sends as (
        select
            *,
            coalesce(mode, 'unknown') as known_mode,
            coalesce(customer_key, send_key) as person_key
        from {{ ref("fct_survey_sends") }}
    ),

    answers as (
        select source, survey_id, wave, customer_key, min(submitted_at) as submitted_at
        from {{ ref("fct_survey_responses") }}
        where not is_duplicate and status = 'complete' and customer_key is not null
        group by source, survey_id, wave, customer_key
    ),

    ranked as (
        select
            *,
            row_number() over (
                partition by source, survey_id, wave, known_mode, person_key
                order by
                    case when disposition = 'complete' then 0 else 1 end,
                    sent_at desc,
                    md5(send_key)
            ) as place,
            min(sent_at) over (
                partition by source, survey_id, wave, known_mode, person_key
            ) as first_sent_at,
            min(sent_date) over (
                partition by source, survey_id, wave, known_mode, person_key
            ) as first_sent_date,
            count(*) over (
                partition by source, survey_id, wave, known_mode, person_key
            ) as attempt_count,
            sum(cost_amount) over (
                partition by source, survey_id, wave, known_mode, person_key
            ) as case_cost_amount,
            max(incentive_amount) over (
                partition by source, survey_id, wave, known_mode, person_key
            ) as case_incentive_amount
        from sends
    ),

    final as (
        select
            {{
                made_key(
                    [
                        "ranked.source",
                        "ranked.survey_id",
                        "ranked.wave",
                        "ranked.known_mode",
                        "ranked.person_key",
                    ]
                )
            }} as case_key,
            ranked.source,
            ranked.survey_id,
            ranked.wave,
            ranked.known_mode as mode,
            ranked.customer_key,
            ranked.first_sent_date as sent_date,
            ranked.attempt_count,
            ranked.case_cost_amount as cost_amount,
            ranked.case_incentive_amount as incentive_amount,
            ranked.disposition,
            case
                when answers.submitted_at >= ranked.first_sent_at
                then
                    {{
                        time_between(
                            "ranked.first_sent_at",
                            "answers.submitted_at",
                            "minute",
                        )
                    }}
            end as answer_minutes
        from ranked
        left join answers using (source, survey_id, wave, customer_key)
        where ranked.place = 1
    )

select *
from final
