{%- set z = var("z_score") -%}
{%- set base = var("min_base") -%}
with
    figures as (
        select
            *,
            answer_count < {{ base }} as is_suppressed,
            case
                when answer_count >= {{ base }} and high_count is not null
                then {{ div("high_count", "answer_count") }}
            end as high_rate,
            case
                when answer_count >= {{ base }} and unfair_count is not null
                then {{ div("unfair_count", "answer_count") }}
            end as unfair_rate,
            least(high_followed_count, low_followed_count) >= {{ base }} as is_compared
        from {{ ref("fct_survey_value_figures") }}
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
            case when not is_suppressed then place_mean end as mean_index,
            case
                when not is_suppressed then place_mean - {{ z }} * place_error
            end as mean_index_low,
            case
                when not is_suppressed then place_mean + {{ z }} * place_error
            end as mean_index_high,
            high_rate,
            {{ wilson_low("high_rate", "answer_count") }} as high_rate_low,
            {{ wilson_high("high_rate", "answer_count") }} as high_rate_high,
            case when not is_suppressed then ratio end as ratio,
            unfair_rate,
            {{ wilson_low("unfair_rate", "answer_count") }} as unfair_rate_low,
            {{ wilson_high("unfair_rate", "answer_count") }} as unfair_rate_high,
            cast(high_followed_count as bigint) as high_followed_count,
            cast(low_followed_count as bigint) as low_followed_count,
            repurchase_rate_high,
            repurchase_rate_low,
            loyalty_lift,
            loyalty_lift - {{ z }} * loyalty_lift_error as loyalty_lift_low,
            loyalty_lift + {{ z }} * loyalty_lift_error as loyalty_lift_high,
            case
                when smallest_group_count >= {{ base }} then satisfaction_interaction
            end as satisfaction_interaction,
            case
                when is_suppressed
                then 'fewer answers than min_base'
                when measure = 'price_fairness'
                then 'paid against expected price; no lift is computed'
                when not is_compared
                then 'too few followed-up customers on one side'
                else 'association, not cause'
            end as reading
        from compared
        inner join waves using (source, survey_id, wave)
    )

select *
from final
