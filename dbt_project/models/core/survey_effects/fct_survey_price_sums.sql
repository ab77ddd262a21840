{# How fair prices were felt to be, by wave: paid against expected. #}
with
    prices as (select * from {{ ref("fct_survey_prices") }}),

    results as (select * from {{ ref("fct_survey_results") }} where not is_duplicate),

    final as (
        select
            results.source,
            results.survey_id,
            results.wave,
            results.respondent_type,
            count(*) as answer_count,
            sum(prices.price_ratio) as price_ratio_sum,
            count(
                case
                    when prices.price_ratio > 1 + {{ var("price_tolerance") }} then 1
                end
            ) as unfair_count
        from prices
        inner join results on prices.response_key = results.response_key
        group by
            results.source, results.survey_id, results.wave, results.respondent_type
    )

select *
from final
