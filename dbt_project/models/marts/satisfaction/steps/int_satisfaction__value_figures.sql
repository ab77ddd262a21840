{# All measures of value, the fairness of prices among them. #}
{%- set key = "source, survey_id, wave, respondent_type" -%}
with
    measured as (select * from {{ ref("int_satisfaction__measure_figures") }}),

    prices as (select * from {{ ref("int_satisfaction__expected_prices") }}),

    results as (select * from {{ ref("fct_survey_results") }} where not is_duplicate),

    -- how fair prices were felt to be: paid against expected
    price_sums as (
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
    ),

    final as (
        select
            {{ key }},
            measure_group,
            measure,
            answer_count,
            place_mean,
            place_error,
            high_count,
            ratio,
            high_followed_count,
            low_followed_count,
            high_rate_again,
            low_rate_again,
            smallest_group_count,
            (high_satisfied_rate - high_other_rate)
            - (low_satisfied_rate - low_other_rate) as satisfaction_interaction,
            cast(null as bigint) as unfair_count
        from measured
        union all
        select
            {{ key }},
            'price' as measure_group,
            'price_fairness' as measure,
            answer_count,
            null as place_mean,
            null as place_error,
            null as high_count,
            {{ div("price_ratio_sum", "answer_count") }} as ratio,
            0 as high_followed_count,
            0 as low_followed_count,
            null as high_rate_again,
            null as low_rate_again,
            0 as smallest_group_count,
            null as satisfaction_interaction,
            unfair_count
        from price_sums
    )

select *
from final
