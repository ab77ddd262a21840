{%- set z = var("z_score") -%}
with
    work as (select * from {{ ref("fct_survey_work") }}),

    effects as (select * from {{ ref("fct_survey_mode_effects") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    final as (
        select
            work.source,
            work.survey_id,
            work.wave,
            work.mode,
            work.sent_date,
            work.sent_count,
            work.attempt_count,
            work.eligible_count,
            coalesce(work.eligible_count, 0) < {{ var("min_base") }} as is_suppressed,
            work.complete_count as completed_count,
            {% for name in [
                "partial",
                "refusal",
                "noncontact",
                "ineligible",
                "unknown",
            ] -%}
                work.{{ name }}_count,
            {% endfor %}
            {{ shown_rate("response", "complete_count", "eligible_count") }},
            {{ shown_rate("refusal", "refusal_count", "eligible_count") }},
            work.incentive_count,
            {{
                shown_rate(
                    "incentive_return", "incentive_complete_count", "incentive_count"
                )
            }},
            {{
                shown_rate(
                    "plain_return",
                    "(complete_count - incentive_complete_count)",
                    "(eligible_count - incentive_count)",
                )
            }},
            {{ div("work.median_answer_hours", "24") }} as median_answer_days,
            cast(
                {{ days_between("work.sent_date", "work.last_submitted_date") }}
                as bigint
            ) as field_days,
            as_of.reporting_currency_code as currency_code,
            cast(work.cost_amount as {{ type_amount() }}) as cost_amount,
            {{ div("work.cost_amount", "work.complete_count") }} as cost_per_complete,
            cast(work.planned_count as bigint) as planned_count,
            {{ div("work.complete_count", "work.planned_count") }} as achieved_rate,
            cast(work.budget_amount as {{ type_amount() }}) as budget_amount,
            {{ div("work.cost_amount", "work.budget_amount") }} as budget_used_rate,
            work.answered_count,
            work.duplicate_count,
            work.timed_count,
            work.speeder_count,
            {{ shown_rate("speeder", "speeder_count", "timed_count") }},
            work.battery_count,
            work.straight_liner_count,
            {{ shown_rate("straight_liner", "straight_liner_count", "battery_count") }},
            work.marked_count,
            case
                when work.marked_count >= {{ var("min_base") }}
                then {{ div("work.best_mark_rate_sum", "work.marked_count") }}
            end as best_mark_rate,
            case
                when work.deviation_count >= {{ var("min_base") }}
                then {{ div("work.mark_deviation_sum", "work.deviation_count") }}
            end as mark_deviation_mean,
            work.coverage_gap_rate,
            effects.effective_count,
            case
                when effects.weighted_count >= {{ var("min_base") }}
                then effects.mode_effect
            end as mode_effect,
            {% for side, sign in [["low", "-"], ["high", "+"]] -%}
                case
                    when effects.weighted_count >= {{ var("min_base") }}
                    then
                        effects.mode_effect {{ sign }} {{ z }}
                        * effects.mode_effect_error
                end as mode_effect_{{ side }},
            {% endfor %}
            effects.gift_count as incentive_scored_count,
            effects.plain_count as plain_scored_count,
            {% for end in ["", "_low", "_high"] -%}
                case
                    when
                        least(effects.gift_count, effects.plain_count)
                        >= {{ var("min_base") }}
                    then
                        effects.incentive_effect
                        {%- if end %}
                            {{ "-" if end == "_low" else "+" }} {{ z }}
                            * effects.incentive_effect_error
                        {%- endif %}
                end as incentive_effect{{ end }},
            {% endfor %}
            cast(work.question_count as bigint) as question_count,
            work.mode = 'web'
            and work.question_count > {{ var("survey_item_limit") }} as is_too_long,
            cast(work.mail_waves_a_year as bigint) as mail_waves_a_year,
            work.mail_waves_a_year
            > {{ var("mail_waves_a_year") }} as is_mailed_too_often
        from work
        cross join as_of
        left join
            effects
            on work.source = effects.source
            and work.survey_id = effects.survey_id
            and work.wave = effects.wave
            and work.mode = effects.mode
    )

select *
from final
