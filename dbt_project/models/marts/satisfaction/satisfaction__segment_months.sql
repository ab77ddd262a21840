{%- set segment = "source, survey_id, wave, respondent_type, segment_by, segment" -%}
{%- set z = var("z_score") -%}
with
    shown as (select * from {{ ref("fct_survey_segment_shown") }}),

    changes as (select * from {{ ref("fct_survey_segment_changes") }}),

    waves as (select source, survey_id, wave, month from {{ ref("dim_survey_waves") }}),

    final as (
        select
            {{
                made_key(
                    [
                        "source",
                        "survey_id",
                        "wave",
                        "respondent_type",
                        "segment_by",
                        "segment",
                    ]
                )
            }} as segment_month_key,
            source,
            survey_id,
            wave,
            month,
            respondent_type,
            segment_by,
            segment,
            previous_wave,

            -- bases
            response_count,
            scored_count,
            effective_count,
            is_suppressed,

            -- index
            satisfaction_index,
            satisfaction_index - {{ z }} * sqrt(index_error) as satisfaction_index_low,
            satisfaction_index + {{ z }} * sqrt(index_error) as satisfaction_index_high,
            satisfaction_index_weighted,
            satisfaction_index_careful,
            overall_mean,

            -- boxes and classes
            {% for name, base in {
                "top_box_rate": "scored_count",
                "top_box_rate_weighted": "effective_count",
                "top_box_rate_shrunk": "scored_count + prior_count",
                "top_two_rate": "scored_count",
            }.items() %}
                {{ name }},
                {{ wilson_low(name, base) }} as {{ name }}_low,
                {{ wilson_high(name, base) }} as {{ name }}_high,
            {% endfor %}
            top_box_rate_careful,
            prior_count,
            top_two_rate_weighted,
            satisfied_rate,
            dissatisfied_rate,
            classed_count,
            loyal_count,
            at_risk_count,
            hostile_count,
            loyal_rate,
            at_risk_rate,
            hostile_rate,
            at_risk_rate > {{ var("complacency_share") }}
            and top_box_rate < {{ var("complacency_top_box") }} as is_complacent,

            -- recommendation and intention
            nps_count,
            promoter_count,
            passive_count,
            detractor_count,
            is_nps_suppressed,
            nps,
            nps - {{ z }} * sqrt(nps_variance) as nps_low,
            nps + {{ z }} * sqrt(nps_variance) as nps_high,
            nps_weighted,
            recommend_level_count,
            recommend_net_rate,
            repurchase_count,
            repurchase_high_rate,

            -- perceived against expected
            c_count,
            c_below_count,
            c_equal_count,
            c_above_count,
            c_mean_of_ratios,
            c_ratio_of_means,
            delight_rate,
            d_gap_mean,

            -- change against the wave before
            shared_customer_rate,
            change_method,
            index_change,
            index_change_low,
            index_change_high,
            index_change_p_value,
            index_change_q_value,
            top_box_change,
            top_box_change_low,
            top_box_change_high,
            top_box_change_p_value,
            nps_change,
            nps_change_low,
            nps_change_high
        from shown
        inner join waves using (source, survey_id, wave)
        left join changes using ({{ segment }})
    )

select *
from final
