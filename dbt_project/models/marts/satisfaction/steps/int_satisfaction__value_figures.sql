{# Every measure of value as rates: its place, and what high and low scorers do, satisfied or not. Prices have a ratio alone. #}
{%- set key = "source, survey_id, wave, respondent_type" -%}
{%- set groups = ["high_satisfied", "low_satisfied", "high_other", "low_other"] -%}
with
    sums as (select * from {{ ref("int_satisfaction__measure_sums") }}),

    prices as (select * from {{ ref("int_satisfaction__expected_prices") }}),

    results as (select * from {{ ref("fct_survey_results") }} where not is_duplicate),

    benefits as (select * from sums where measure = 'total_benefit'),

    sacrifices as (select * from sums where measure = 'total_sacrifice'),

    ratios as (
        select
            {{ key }},
            {{
                div(
                    div("benefits.place_sum", "benefits.answer_count"),
                    div("sacrifices.place_sum", "sacrifices.answer_count"),
                )
            }} as delivered_ratio
        from benefits
        inner join sacrifices using ({{ key }})
    ),

    measured as (
        select
            sums.*,
            {{ div("place_sum", "answer_count") }} as place_mean,
            case
                when answer_count > 1
                then
                    sqrt(
                        greatest(
                            0,
                            cast(
                                answer_count * place_square_sum
                                - place_sum * place_sum as {{ type_double() }}
                            )
                            / answer_count
                            / (answer_count - 1)
                        )
                        / answer_count
                    )
            end as place_error,
            case
                when measure = 'delivered_value' then ratios.delivered_ratio
            end as ratio,
            high_satisfied_count + high_other_count as high_followed_count,
            low_satisfied_count + low_other_count as low_followed_count,
            {{
                div(
                    "high_satisfied_again_count + high_other_again_count",
                    "high_satisfied_count + high_other_count",
                )
            }} as high_rate_again,
            {{
                div(
                    "low_satisfied_again_count + low_other_again_count",
                    "low_satisfied_count + low_other_count",
                )
            }} as low_rate_again,
            least(
                high_satisfied_count,
                low_satisfied_count,
                high_other_count,
                low_other_count
            ) as smallest_group_count,
            {% for name in groups %}
                {{ div(name ~ "_again_count", name ~ "_count") }} as {{ name }}_rate
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        from sums
        left join ratios using ({{ key }})
    ),

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
