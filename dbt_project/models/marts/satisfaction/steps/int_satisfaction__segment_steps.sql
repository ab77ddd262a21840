{# Each segment against itself one wave before, as if nobody had answered both; what stands on a small base is not compared. #}
with
    figures as (select * from {{ ref("int_satisfaction__segment_figures") }}),

    waves as (select * from {{ ref("dim_survey_waves") }}),

    numbered as (
        select
            figures.*,
            waves.wave_number,
            case when not is_suppressed then satisfaction_index end as shown_index,
            case when not is_suppressed then top_box_rate end as shown_top_box,
            case when not is_nps_suppressed then nps end as shown_nps,
            case
                when not is_c_suppressed and perceived_sum > 0 and expected_sum > 0
                then ln({{ div("perceived_sum", "c_count") }})
            end as perceived_log,
            case
                when not is_c_suppressed and perceived_sum > 0 and expected_sum > 0
                then ln({{ div("expected_sum", "c_count") }})
            end as expected_log,
            case
                when not is_suppressed then {{ div("index_variance", "index_count") }}
            end as index_error
        from figures
        inner join waves using (source, survey_id, wave)
    ),

    compared as (
        select
            newer.source,
            newer.survey_id,
            newer.wave,
            newer.respondent_type,
            newer.segment_by,
            newer.segment,
            before.wave as previous_wave,
            newer.shown_index - before.shown_index as index_change,
            sqrt(newer.index_error + before.index_error) as index_change_error,
            newer.shown_top_box - before.shown_top_box as top_box_change,
            {{
                div(
                    "newer.top_box_count + before.top_box_count",
                    "newer.scored_count + before.scored_count",
                )
            }} as pooled_top_box,
            {{ div("1", "newer.scored_count") }}
            + {{ div("1", "before.scored_count") }} as both_bases,
            sqrt(
                {{
                    div(
                        "newer.top_box_rate * (1 - newer.top_box_rate)",
                        "newer.scored_count",
                    )
                }}
                + {{
                    div(
                        "before.top_box_rate * (1 - before.top_box_rate)",
                        "before.scored_count",
                    )
                }}
            ) as top_box_change_error,
            newer.perceived_log - before.perceived_log as c_change_from_perceived,
            before.expected_log - newer.expected_log as c_change_from_expected,
            newer.shown_nps - before.shown_nps as nps_change,
            sqrt(newer.nps_variance + before.nps_variance) as nps_change_error
        from numbered as newer
        left join
            numbered as before
            on newer.source = before.source
            and newer.survey_id = before.survey_id
            and newer.respondent_type = before.respondent_type
            and newer.segment_by = before.segment_by
            and newer.segment = before.segment
            and newer.wave_number = before.wave_number + 1
    ),

    final as (
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
            }} as top_box_change_p_value,
            {{ normal_p_value(div("nps_change", "nps_change_error")) }}
            as nps_change_p_value
        from compared
    )

select *
from final
