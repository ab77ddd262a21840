{# Fieldwork by wave and mode (and all modes together): whom we asked, what became of it, what it cost, how often by mail. #}
with
    cases as (select * from {{ ref("int_satisfaction__cases") }}),

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
            {% for disposition in [
                "complete",
                "partial",
                "refusal",
                "noncontact",
                "ineligible",
                "unknown",
            ] -%}
                {{ count_where("disposition = '" ~ disposition ~ "'") }}
                as {{ disposition }}_count,
            {% endfor %}
            sum(cost_amount) as cost_amount,
            {{ count_where("incentive_amount > 0 and disposition != 'ineligible'") }}
            as incentive_count,
            {{ count_where("incentive_amount > 0 and disposition = 'complete'") }}
            as incentive_complete_count,
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
