{{ config(tags=["scored"]) }}

with
    responses as (
        select * from {{ ref("fct_survey_responses") }} where not is_duplicate
    ),

    customer_segments as (
        select * from {{ ref("dim_customer_segments") }} where segment_by != 'all'
    ),

    scores as (select * from {{ ref("dim_customer_scores") }}),

    memberships as (
        select response_key, 'all' as segment_by, 'all' as segment
        from responses
        union all
        select response_key, 'mode' as segment_by, mode as segment
        from responses
        union all
        select response_key, 'touchpoint' as segment_by, touchpoint as segment
        from responses
        union all
        select responses.response_key, 'stage' as segment_by, scores.stage as segment
        from responses
        inner join scores on responses.customer_key = scores.customer_key
        union all
        select responses.response_key, 'tier' as segment_by, scores.tier as segment
        from responses
        inner join scores on responses.customer_key = scores.customer_key
        union all
        select
            responses.response_key,
            customer_segments.segment_by,
            customer_segments.segment
        from responses
        inner join
            customer_segments on responses.customer_key = customer_segments.customer_key
    ),

    final as (
        select {{ made_key(["response_key", "segment_by"]) }} as membership_key, *
        from memberships
        -- a segment that nobody knows is none
        where segment is not null
    )

select *
from final
