{# Fieldwork by wave and mode (and all modes together): who was asked, the results, the cost, how often by mail. #}
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
            min(sent_at) over by_case as first_sent_at,
            min(sent_date) over by_case as first_sent_date,
            count(*) over by_case as attempt_count,
            sum(cost_amount) over by_case as case_cost_amount,
            max(incentive_amount) over by_case as case_incentive_amount
        from sends
        window by_case as (partition by source, survey_id, wave, known_mode, person_key)
    ),

    -- a case is a person asked in one mode, however often; its last disposition counts,
    -- unless an earlier one was complete
    cases as (
        select
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
    ),

    -- waves by mail that a customer got in the 365 days up to a wave, in any survey
    mail_waves as (
        select source, survey_id, wave, max(wave_count) as mail_waves_a_year
        from
            (
                select
                    cases.source,
                    cases.survey_id,
                    cases.wave,
                    cases.customer_key,
                    count(
                        distinct earlier.survey_id || ' ' || earlier.wave
                    ) as wave_count
                from cases
                inner join
                    cases as earlier
                    on cases.customer_key = earlier.customer_key
                    and earlier.mode = 'mail'
                    and earlier.sent_date <= cases.sent_date
                    and earlier.sent_date > {{ add_days("cases.sent_date", -365) }}
                where cases.mode = 'mail'
                group by cases.source, cases.survey_id, cases.wave, cases.customer_key
            ) as by_customer
        group by source, survey_id, wave
    ),

    shown as ({{ also_as_all("cases", "mode", "shown_mode") }}),

    summed as (
        select
            source,
            survey_id,
            wave,
            shown_mode as mode,
            min(sent_date) as sent_date,
            count(*) as sent_count,
            cast(sum(attempt_count) as bigint) as attempt_count,
            {% for disposition in ["complete", "partial", "refusal", "noncontact"] -%}
                {{
                    when_delivered(
                        "dispositions",
                        count_where("disposition = '" ~ disposition ~ "'"),
                    )
                }} as {{ disposition }}_count,
            {% endfor %}
            {{ count_where("disposition = 'ineligible'") }} as ineligible_count,
            {{ count_where("disposition = 'unknown'") }} as unknown_count,
            sum(cost_amount) as cost_amount,
            {% for name, what, condition in [
                ("incentive", "incentives", "disposition != 'ineligible'"),
                (
                    "incentive_complete",
                    ["incentives", "dispositions"],
                    "disposition = 'complete'",
                ),
            ] %}
                {{
                    when_delivered(
                        what, count_where("incentive_amount > 0 and " ~ condition)
                    )
                }} as {{ name }}_count,
            {% endfor %}
            {{ percentile("answer_minutes", 0.5) }} as median_answer_minutes
        from shown
        group by source, survey_id, wave, shown_mode
    ),

    final as (
        select
            summed.*,
            case
                when summed.mode in ('mail', 'all') then mail_waves.mail_waves_a_year
            end as mail_waves_a_year
        from summed
        left join mail_waves using (source, survey_id, wave)
    )

select *
from final
