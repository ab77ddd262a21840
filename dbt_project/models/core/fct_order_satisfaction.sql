{# Answers about an order, previews and second answers left out: the place 0..100 on the scale. #}
with
    responses as (select * from {{ ref("fct_survey_responses") }}),

    results as (select * from {{ ref("fct_survey_results") }}),

    scales as ({{ usual_scales("results", "source", "overall_scale_max") }}),

    final as (
        select
            responses.order_key,
            sum(cast(results.overall_index as decimal(18, 4))) as index_sum,
            sum(
                cast(results.overall_index as decimal(18, 4))
                * cast(results.overall_index as decimal(18, 4))
            ) as index_square_sum,
            count(results.overall_index) as index_count
        from results
        inner join scales using (source, overall_scale_max)
        inner join responses on results.response_key = responses.response_key
        where
            not results.is_duplicate
            and results.respondent_type = 'customer'
            and responses.order_key is not null
        group by responses.order_key
    )

select *
from final
