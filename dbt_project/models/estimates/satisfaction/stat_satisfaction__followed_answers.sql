{# For each customer whose follow-up is over: the latest answer with an overall score, and what the customer did. #}
with
    outcomes as (select * from {{ ref("fct_survey_outcomes") }} where is_observed),

    results as (
        select * from {{ ref("fct_survey_results") }} where overall_score is not null
    ),

    responses as (select * from {{ ref("fct_survey_responses") }}),

    joined as (
        select
            outcomes.*,
            responses.mode,
            results.overall_score,
            results.overall_scale_max,
            results.satisfaction_index,
            results.satisfaction_class,
            results.loyalty_class,
            results.repurchase_probability,
            row_number() over (
                partition by outcomes.source, outcomes.survey_id, outcomes.customer_key
                order by responses.submitted_at desc, md5(outcomes.response_key)
            ) as recency
        from outcomes
        inner join results on outcomes.response_key = results.response_key
        inner join responses on outcomes.response_key = responses.response_key
    ),

    final as (select * from joined where recency = 1)

select *
from final
