{%- set z = var("z_score") -%}
{%- set segment = "source, survey_id, wave, respondent_type, segment_by, segment" -%}
{%- set of_scores = [
    "satisfaction_index",
    "satisfaction_index_weighted",
    "satisfaction_index_careful",
    "overall_mean",
    "top_box_rate",
    "top_box_rate_weighted",
    "top_box_rate_careful",
    "top_two_rate",
    "top_two_rate_weighted",
    "satisfied_rate",
    "dissatisfied_rate",
    "loyal_rate",
    "at_risk_rate",
    "hostile_rate",
] -%}
with
    figures as (select * from {{ ref("fct_survey_segment_figures") }}),

    changes as (select * from {{ ref("fct_survey_segment_changes") }}),

    waves as (select source, survey_id, wave, month from {{ ref("dim_survey_waves") }}),

    -- what stands on a small base is not shown
    shown as (
        select
            {{ segment }},
            response_count,
            effective_count,
            scored_count,
            classed_count,
            loyal_count,
            at_risk_count,
            hostile_count,
            is_suppressed,
            {% for name in of_scores %}
                case when not is_suppressed then {{ name }} end as {{ name }},
            {% endfor %}
            case
                when not is_suppressed then {{ div("index_variance", "index_count") }}
            end as index_error,
            nps_count,
            promoter_count,
            passive_count,
            detractor_count,
            is_nps_suppressed,
            case when not is_nps_suppressed then nps end as nps,
            case when not is_nps_suppressed then nps_weighted end as nps_weighted,
            nps_variance,
            recommend_level_count,
            case
                when recommend_level_count >= {{ var("min_base") }}
                then recommend_net_rate
            end as recommend_net_rate,
            repurchase_count,
            case
                when repurchase_count >= {{ var("min_base") }} then repurchase_high_rate
            end as repurchase_high_rate,
            c_count,
            c_below_count,
            c_equal_count,
            c_above_count,
            case when not is_c_suppressed then c_mean_of_ratios end as c_mean_of_ratios,
            case when not is_c_suppressed then c_ratio_of_means end as c_ratio_of_means,
            case
                when not is_c_suppressed then {{ div("c_above_count", "c_count") }}
            end as delight_rate,
            case when d_count >= {{ var("min_base") }} then d_gap_mean end as d_gap_mean
        from figures
    ),

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
            top_box_rate,
            {{ wilson_low("top_box_rate", "scored_count") }} as top_box_rate_low,
            {{ wilson_high("top_box_rate", "scored_count") }} as top_box_rate_high,
            top_box_rate_weighted,
            {{ wilson_low("top_box_rate_weighted", "effective_count") }}
            as top_box_rate_weighted_low,
            {{ wilson_high("top_box_rate_weighted", "effective_count") }}
            as top_box_rate_weighted_high,
            top_box_rate_careful,
            top_two_rate,
            {{ wilson_low("top_two_rate", "scored_count") }} as top_two_rate_low,
            {{ wilson_high("top_two_rate", "scored_count") }} as top_two_rate_high,
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
            index_change,
            index_change - {{ z }} * index_change_error as index_change_low,
            index_change + {{ z }} * index_change_error as index_change_high,
            index_change_p_value,
            index_change_q_value,
            top_box_change,
            top_box_change_p_value,
            nps_change,
            nps_change - {{ z }} * nps_change_error as nps_change_low,
            nps_change + {{ z }} * nps_change_error as nps_change_high
        from shown
        inner join waves using (source, survey_id, wave)
        left join changes using ({{ segment }})
    )

select *
from final
