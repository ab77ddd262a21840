{# The statistics that survey weights are fitted on: people and first answers by wave and cell. #}
with
    base as (select * from {{ ref("fct_survey_wave_customers") }}),

    answered as (
        select source, survey_id, wave, customer_key, count(*) as response_count
        from {{ ref("fct_survey_responses") }}
        where
            not is_duplicate
            and respondent_type = 'customer'
            and customer_key is not null
        group by source, survey_id, wave, customer_key
    ),

    final as (
        select
            base.source,
            base.survey_id,
            base.wave,
            base.age_band,
            base.tenure_band,
            base.spend_tercile,
            count(*) as base_count,
            cast(coalesce(sum(answered.response_count), 0) as bigint) as response_count
        from base
        left join answered using (source, survey_id, wave, customer_key)
        group by
            base.source,
            base.survey_id,
            base.wave,
            base.age_band,
            base.tenure_band,
            base.spend_tercile
    )

select *
from final
