{%- set z = var("z_score") -%}
with
    figures as (select * from {{ ref("fct_survey_segment_figures") }}),

    waves as (select * from {{ ref("dim_survey_waves") }}),

    -- what stands on a small base is not shown, and not compared
    shown as (
        select
            figures.*,
            waves.month,
            waves.wave_number,
            case when not is_suppressed then satisfaction_index end as shown_index,
            case when not is_suppressed then top_box_rate end as shown_top_box,
            case when not is_nps_suppressed then nps end as shown_nps,
            case
                when not is_suppressed then {{ div("index_variance", "index_count") }}
            end as index_error
        from figures
        inner join waves using (source, survey_id, wave)
    ),

    compared as (
        select
            shown.*,
            before.wave as previous_wave,
            shown.shown_index - before.shown_index as index_change,
            sqrt(shown.index_error + before.index_error) as index_change_error,
            shown.shown_top_box - before.shown_top_box as top_box_change,
            {{
                div(
                    "shown.top_box_count + before.top_box_count",
                    "shown.scored_count + before.scored_count",
                )
            }} as pooled_top_box,
            {{ div("1", "shown.scored_count") }}
            + {{ div("1", "before.scored_count") }} as both_bases,
            shown.shown_nps - before.shown_nps as nps_change,
            sqrt(shown.nps_variance + before.nps_variance) as nps_change_error
        from shown
        left join
            shown as before
            on shown.source = before.source
            and shown.survey_id = before.survey_id
            and shown.respondent_type = before.respondent_type
            and shown.segment_by = before.segment_by
            and shown.segment = before.segment
            and shown.wave_number = before.wave_number + 1
    ),

    tested as (
        select
            *,
            {{ normal_p_value(div("index_change", "index_change_error")) }}
            as index_change_p_value,
            {{
                normal_p_value(
                    div(
                        "top_box_change",
                        "sqrt(pooled_top_box * (1 - pooled_top_box) * both_bases)",
                    )
                )
            }} as top_box_change_p_value
        from compared
    ),

    -- many segments are compared at once: Benjamini & Hochberg's false discovery rate
    discovered as (
        select
            *,
            min(index_change_p_value * family_count / family_rank) over (
                partition by
                    source, survey_id, wave, respondent_type, segment_by = 'all'
                order by index_change_p_value desc nulls last
            ) as index_change_q_value
        from
            (
                select
                    *,
                    count(index_change_p_value) over (
                        partition by
                            source, survey_id, wave, respondent_type, segment_by = 'all'
                    ) as family_count,
                    count(index_change_p_value) over (
                        partition by
                            source, survey_id, wave, respondent_type, segment_by = 'all'
                        order by index_change_p_value nulls last
                    ) as family_rank
                from tested
            ) as ranked
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
            shown_index as satisfaction_index,
            shown_index - {{ z }} * sqrt(index_error) as satisfaction_index_low,
            shown_index + {{ z }} * sqrt(index_error) as satisfaction_index_high,
            case
                when not is_suppressed then satisfaction_index_weighted
            end as satisfaction_index_weighted,
            case
                when not is_suppressed then satisfaction_index_careful
            end as satisfaction_index_careful,
            case when not is_suppressed then overall_mean end as overall_mean,

            -- boxes and classes
            shown_top_box as top_box_rate,
            {{ wilson_low("shown_top_box", "scored_count") }} as top_box_rate_low,
            {{ wilson_high("shown_top_box", "scored_count") }} as top_box_rate_high,
            case
                when not is_suppressed then top_box_rate_weighted
            end as top_box_rate_weighted,
            case
                when not is_suppressed
                then {{ wilson_low("top_box_rate_weighted", "effective_count") }}
            end as top_box_rate_weighted_low,
            case
                when not is_suppressed
                then {{ wilson_high("top_box_rate_weighted", "effective_count") }}
            end as top_box_rate_weighted_high,
            case
                when not is_suppressed then top_box_rate_careful
            end as top_box_rate_careful,
            case when not is_suppressed then top_two_rate end as top_two_rate,
            case
                when not is_suppressed
                then {{ wilson_low("top_two_rate", "scored_count") }}
            end as top_two_rate_low,
            case
                when not is_suppressed
                then {{ wilson_high("top_two_rate", "scored_count") }}
            end as top_two_rate_high,
            case
                when not is_suppressed then top_two_rate_weighted
            end as top_two_rate_weighted,
            case when not is_suppressed then satisfied_rate end as satisfied_rate,
            case when not is_suppressed then dissatisfied_rate end as dissatisfied_rate,
            classed_count,
            loyal_count,
            at_risk_count,
            hostile_count,
            case when not is_suppressed then loyal_rate end as loyal_rate,
            case when not is_suppressed then at_risk_rate end as at_risk_rate,
            case when not is_suppressed then hostile_rate end as hostile_rate,
            case
                when not is_suppressed
                then
                    at_risk_rate > {{ var("complacency_share") }}
                    and top_box_rate < {{ var("complacency_top_box") }}
            end as is_complacent,

            -- recommendation and intention
            nps_count,
            promoter_count,
            passive_count,
            detractor_count,
            is_nps_suppressed,
            shown_nps as nps,
            shown_nps - {{ z }} * sqrt(nps_variance) as nps_low,
            shown_nps + {{ z }} * sqrt(nps_variance) as nps_high,
            case when not is_nps_suppressed then nps_weighted end as nps_weighted,
            recommend_level_count,
            case
                when recommend_level_count >= {{ var("min_base") }}
                then recommend_net_rate
            end as recommend_net_rate,
            repurchase_count,
            case
                when repurchase_count >= {{ var("min_base") }} then repurchase_high_rate
            end as repurchase_high_rate,

            -- perceived against expected
            c_count,
            c_below_count,
            c_equal_count,
            c_above_count,
            case when not is_c_suppressed then c_mean_of_ratios end as c_mean_of_ratios,
            case when not is_c_suppressed then c_ratio_of_means end as c_ratio_of_means,
            case
                when not is_c_suppressed then {{ div("c_above_count", "c_count") }}
            end as delight_rate,
            case
                when d_count >= {{ var("min_base") }} then d_gap_mean
            end as d_gap_mean,

            -- change against the wave before
            index_change,
            index_change - {{ z }} * index_change_error as index_change_low,
            index_change + {{ z }} * index_change_error as index_change_high,
            index_change_p_value,
            case
                when index_change_p_value is not null then index_change_q_value
            end as index_change_q_value,
            top_box_change,
            top_box_change_p_value,
            nps_change,
            nps_change - {{ z }} * nps_change_error as nps_change_low,
            nps_change + {{ z }} * nps_change_error as nps_change_high
        from discovered
    )

select *
from final
