with
    responses as (
        select * from {{ ref("fct_survey_responses") }} where not is_duplicate
    ),

    base as (select * from {{ ref("fct_survey_wave_customers") }}),

    cell_weights as (select * from {{ source("estimates", "survey_weights") }}),

    fitted_waves as (
        select source, survey_id, wave
        from cell_weights
        group by source, survey_id, wave
    ),

    final as (
        select
            responses.response_key,
            -- answers that cannot be placed in the base stay unweighted in a wave
            -- that has weights
            case
                when fitted_waves.wave is not null
                then
                    coalesce(
                        case
                            when responses.respondent_type = 'customer'
                            then cell_weights.weight
                        end,
                        cast(1 as decimal(18, 8))
                    )
            end as weight,
            cell_weights.weight is not null
            and responses.respondent_type = 'customer' as is_raked,
            case
                when fitted_waves.wave is not null then 'fitted' else 'not fitted'
            end as weighting_status
        from responses
        left join fitted_waves using (source, survey_id, wave)
        left join base using (source, survey_id, wave, customer_key)
        left join
            cell_weights
            on base.source = cell_weights.source
            and base.survey_id = cell_weights.survey_id
            and base.wave = cell_weights.wave
            and base.age_band = cell_weights.age_band
            and base.tenure_band = cell_weights.tenure_band
            and base.spend_tercile = cell_weights.spend_tercile
    )

select *
from final
