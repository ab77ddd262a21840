{#- Everything counted about a wave in one mode (and in all together): asked, answered, planned, covered. Counts only. -#}
{%- set keys = ["source", "survey_id", "wave", "mode"] -%}
with
    cases as (select * from {{ ref("int_satisfaction__case_sums") }}),

    planned as (select * from {{ ref("stg_survey_plan__plan") }}),

    coverage as (select * from {{ ref("int_satisfaction__coverage") }}),

    responses as (
        select *, coalesce(mode, 'unknown') as known_mode
        from {{ ref("fct_survey_responses") }}
        where respondent_type = 'customer'
    ),

    shown as ({{ also_as_all("responses", "known_mode", "shown_mode") }}),

    answers as (
        select
            source,
            survey_id,
            wave,
            shown_mode as mode,
            {{ count_where("not is_duplicate") }} as answered_count,
            {{ count_where("is_duplicate") }} as duplicate_count,
            {{
                count_among(
                    "case when not is_duplicate then answer_seconds end",
                    "not is_duplicate and is_speeder",
                )
            }} as speeder_count,
            {{ count_where("not is_duplicate and answer_seconds is not null") }}
            as timed_count,
            {{ count_where("not is_duplicate and has_battery") }} as battery_count,
            {{ count_where("not is_duplicate and is_straight_liner") }}
            as straight_liner_count,
            {{ count_where("not is_duplicate and mark_deviation is not null") }}
            as deviation_count,
            sum(
                case when not is_duplicate then mark_deviation end
            ) as mark_deviation_sum,
            sum(
                case when not is_duplicate then {{ rounded("best_mark_rate", 8) }} end
            ) as best_mark_rate_sum,
            {{ count_where("not is_duplicate and best_mark_rate is not null") }}
            as marked_count,
            max(submitted_date) as last_submitted_date
        from shown
        group by source, survey_id, wave, shown_mode
    ),

    -- what was planned by mode, and for all modes of a wave together
    plans as (
        {% for mode in ["mode", "'all'"] %}
            select
                source,
                survey_id,
                wave,
                {{ mode }} as mode,
                sum(planned_completes) as planned_count,
                sum(budget_amount) as budget_amount
            from planned
            group by source, survey_id, wave {% if mode == "mode" %}, mode{% endif %}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    -- half the sum of the differences of shares: how far those who answered differ
    -- from all
    attribute_gaps as (
        select
            source,
            survey_id,
            wave,
            mode,
            segment_by,
            cast(
                sum(
                    abs(base_count * respondent_total - respondent_count * base_total)
                ) as {{ type_double() }}
            )
            / nullif(2 * min(base_total) * min(respondent_total), 0) as gap
        from coverage
        where respondent_total >= {{ var("min_base") }}
        group by source, survey_id, wave, mode, segment_by
    ),

    -- the attribute on which they differ most
    gaps as (
        select {{ keys | join(", ") }}, max(gap) as coverage_gap_rate
        from attribute_gaps
        group by {{ keys | join(", ") }}
    ),

    questions as (
        select source, survey_id, count(*) as question_count
        from {{ ref("dim_survey_questions") }}
        group by source, survey_id
    ),

    spine as (
        select {{ keys | join(", ") }}
        from cases
        union
        select {{ keys | join(", ") }}
        from answers
    ),

    final as (
        select
            {{ made_key(keys) }} as work_key,
            spine.*,
            cases.sent_date,
            cases.sent_count,
            cases.sent_count - cases.ineligible_count as eligible_count,
            {% for name in [
                "attempt",
                "complete",
                "partial",
                "refusal",
                "noncontact",
                "ineligible",
                "unknown",
                "incentive",
                "incentive_complete",
            ] -%}
                cases.{{ name }}_count,
            {% endfor %}
            cases.cost_amount,
            cases.median_answer_minutes,
            cases.mail_waves_a_year,
            answers.answered_count,
            answers.duplicate_count,
            answers.speeder_count,
            answers.timed_count,
            answers.battery_count,
            answers.straight_liner_count,
            answers.deviation_count,
            answers.mark_deviation_sum,
            answers.marked_count,
            answers.best_mark_rate_sum,
            answers.last_submitted_date,
            plans.planned_count,
            plans.budget_amount,
            gaps.coverage_gap_rate,
            questions.question_count
        from spine
        left join cases using ({{ keys | join(", ") }})
        left join answers using ({{ keys | join(", ") }})
        left join plans using ({{ keys | join(", ") }})
        left join gaps using ({{ keys | join(", ") }})
        left join questions using (source, survey_id)
    )

select *
from final
