with
    scores as (
        select * from {{ ref("fct_survey_scores") }} where role like 'dimension:%'
    ),

    results as (select * from {{ ref("fct_survey_results") }}),

    waves as (select * from {{ ref("dim_survey_waves") }}),

    final as (
        select
            scores.score_key,
            results.response_key,
            results.source,
            results.survey_id,
            results.wave,
            waves.month,
            results.customer_key,
            results.respondent_type,
            results.submitted_date,
            not results.is_duplicate as is_counted,
            substr(scores.role, 11) as dimension,
            cast(scores.score as {{ type_double() }}) as score,
            cast(scores.scale_min as {{ type_double() }}) as scale_min,
            cast(scores.scale_max as {{ type_double() }}) as scale_max,
            cast(scores.score_index as {{ type_double() }}) as score_index,
            cast(scores.answer_count as bigint) as item_count
        from scores
        inner join results on scores.response_key = results.response_key
        inner join
            waves
            on results.source = waves.source
            and results.survey_id = waves.survey_id
            and results.wave = waves.wave
    )

select *
from final
