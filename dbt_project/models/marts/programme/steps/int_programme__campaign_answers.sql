{# Answers of customers that count, with the day from which memory is reckoned. #}
with
    responses as (select * from {{ ref("fct_survey_responses") }}),

    results as (select * from {{ ref("fct_survey_results") }}),

    scales as ({{ usual_scales("results", "source", "overall_scale_max") }}),

    final as (
        select
            results.response_key,
            results.survey_id,
            results.wave,
            results.customer_key,
            results.submitted_date,
            coalesce(responses.sent_date, results.submitted_date) as asked_date,
            results.expectation_score,
            results.c_state,
            case
                when scales.overall_scale_max is not null then results.overall_index
            end as overall_index
        from results
        inner join responses on results.response_key = responses.response_key
        left join
            scales
            on results.source = scales.source
            and results.overall_scale_max = scales.overall_scale_max
        where
            not results.is_duplicate
            and results.respondent_type = 'customer'
            and results.customer_key is not null
    )

select *
from final
