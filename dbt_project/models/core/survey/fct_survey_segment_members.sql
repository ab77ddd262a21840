{{ config(tags=["scored"]) }}

with
    segments as (select * from {{ ref("fct_survey_segments") }}),

    results as (select * from {{ ref("fct_survey_results") }}),

    responses as (select * from {{ ref("fct_survey_responses") }}),

    weights as (select * from {{ ref("fct_survey_weights") }}),

    final as (
        select
            segments.membership_key,
            segments.segment_by,
            segments.segment,
            results.*,
            cast(results.satisfaction_index as decimal(9, 4)) as rounded_index,
            weights.weight,
            not responses.is_speeder and not responses.is_straight_liner as is_careful
        from segments
        inner join results on segments.response_key = results.response_key
        inner join responses on segments.response_key = responses.response_key
        left join weights on segments.response_key = weights.response_key
    )

select *
from final
