with
    responses as (select * from {{ ref("int_satisfaction__responses") }}),

    sends as (select * from {{ ref("fct_survey_sends") }}),

    sent as (
        select source, survey_id, wave, min(sent_date) as sent_date
        from sends
        group by source, survey_id, wave
    ),

    answered as (
        select
            source,
            survey_id,
            wave,
            count(*) as response_count,
            max(case when is_wave_named then 1 else 0 end) = 1 as is_named,
            min(coalesce(sent_date, submitted_date)) as first_date,
            min(submitted_date) as first_submitted_date,
            max(submitted_date) as last_submitted_date
        from responses
        group by source, survey_id, wave
    ),

    waves as (
        select
            answered.source,
            answered.survey_id,
            answered.wave,
            -- the send list says when a wave began, else its answers do; the wave of a
            -- month begins in it, also for people who were asked before
            case
                when
                    answered.is_named
                    or coalesce(sent.sent_date, answered.first_date)
                    >= {{ month_start("answered.first_submitted_date") }}
                then coalesce(sent.sent_date, answered.first_date)
                else {{ month_start("answered.first_submitted_date") }}
            end as sent_date,
            answered.first_submitted_date,
            answered.last_submitted_date,
            answered.response_count
        from answered
        left join sent using (source, survey_id, wave)
    ),

    final as (
        select
            {{ made_key(["source", "survey_id", "wave"]) }} as wave_key,
            *,
            {{ month_start("sent_date") }} as month,
            row_number() over in_order as wave_number,
            lag(wave) over in_order as previous_wave
        from waves
        window
            in_order as (partition by source, survey_id order by sent_date, md5(wave))
    )

select *
from final
