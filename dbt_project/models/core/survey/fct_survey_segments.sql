{{ config(tags=["scored"]) }}

with
    memberships as (select * from {{ ref("int_survey__memberships") }}),

    responses as (
        select * from {{ ref("fct_survey_responses") }} where not is_duplicate
    ),

    scores as (select * from {{ ref("dim_customer_scores") }}),

    joined as (
        select response_key, segment_by, segment
        from memberships
        union all
        select responses.response_key, 'stage' as segment_by, scores.stage as segment
        from responses
        inner join scores on responses.customer_key = scores.customer_key
        where scores.stage is not null
    ),

    final as (
        select {{ made_key(["response_key", "segment_by"]) }} as membership_key, *
        from joined
    )

select *
from final
