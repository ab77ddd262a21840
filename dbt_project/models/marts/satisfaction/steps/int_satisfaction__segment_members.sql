with
    memberships as (select * from {{ ref("stat_satisfaction__memberships") }}),

    responses as (select * from {{ ref("fct_survey_responses") }}),

    scores as (select * from {{ ref("dim_customer_scores") }}),

    results as (select * from {{ ref("fct_survey_results") }}),

    weights as (select * from {{ ref("int_satisfaction__weights") }}),

    segments as (
        select response_key, segment_by, segment
        from memberships
        union all
        select
            responses.response_key,
            'stage' as segment_by,
            coalesce(scores.stage, 'unknown') as segment
        from responses
        left join scores on responses.customer_key = scores.customer_key
        where not responses.is_duplicate and responses.respondent_type = 'customer'
    ),

    final as (
        select
            {{ made_key(["segments.response_key", "segments.segment_by"]) }}
            as membership_key,
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
