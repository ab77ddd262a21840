with
    figures as (
        select
            *,
            answer_count < {{ var("min_base") }} as is_suppressed,
            least(high_followed_count, low_followed_count)
            >= {{ var("min_base") }} as is_compared
        from {{ ref("int_satisfaction__value_figures") }}
    ),

    waves as (select source, survey_id, wave, month from {{ ref("dim_survey_waves") }}),

    compared as (
        select
            *,
            case when is_compared then high_rate_again end as repurchase_rate_high,
            case when is_compared then low_rate_again end as repurchase_rate_low,
            case
                when is_compared then high_rate_again - low_rate_again
            end as loyalty_lift,
            sqrt(
                {{
                    div(
                        "high_rate_again * (1 - high_rate_again)",
                        "high_followed_count",
                    )
                }}
                +
                {{ div("low_rate_again * (1 - low_rate_again)", "low_followed_count") }}
            ) as loyalty_lift_error
        from figures
    ),

    final as (
        select
            {{
                made_key(
                    ["source", "survey_id", "wave", "respondent_type", "measure"]
                )
            }} as value_perception_key,
            source,
            survey_id,
            wave,
            waves.month,
            respondent_type,
            measure_group,
            measure,
            answer_count,
            is_suppressed,
            {{
                with_interval(
                    "mean_index",
                    "place_mean",
                    "place_error",
                    when="not is_suppressed",
                    least=0,
                    most=100,
                )
            }},
            {{ suppress_small_rate("high", "high_count", "answer_count") }},
            case when not is_suppressed then ratio end as ratio,
            {{ suppress_small_rate("unfair", "unfair_count", "answer_count") }},
            cast(high_followed_count as bigint) as high_followed_count,
            cast(low_followed_count as bigint) as low_followed_count,
            repurchase_rate_high,
            repurchase_rate_low,
            {{ with_interval("loyalty_lift", "loyalty_lift", "loyalty_lift_error") }},
            {{ suppress_small("satisfaction_interaction", "smallest_group_count") }}
            as satisfaction_interaction,
            case
                when is_suppressed
                then 'fewer answers than min_base'
                when measure = 'price_fairness'
                then 'paid against expected price; no lift is computed'
                when not is_compared
                then 'too few followed-up customers on one side'
                else 'association, not cause'
            end as caveat
        from compared
        inner join waves using (source, survey_id, wave)
    )

select *
from final
