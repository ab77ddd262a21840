with
    work as (select * from {{ ref("int_satisfaction__survey_fieldwork") }}),

    modes as (select * from {{ ref("int_satisfaction__mode_effects") }}),

    gifts as (select * from {{ ref("int_satisfaction__gift_effects") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    final as (
        select
            source,
            survey_id,
            wave,
            mode,
            sent_date,
            sent_count,
            attempt_count,
            eligible_count,
            coalesce(eligible_count, 0) < {{ var("min_base") }} as is_suppressed,
            complete_count as completed_count,
            partial_count,
            refusal_count,
            noncontact_count,
            ineligible_count,
            unknown_count,
            {{ suppress_small_rate("response", "complete_count", "eligible_count") }},
            {{ suppress_small_rate("refusal", "refusal_count", "eligible_count") }},
            incentive_count,
            {{
                suppress_small_rate(
                    "incentive_return", "incentive_complete_count", "incentive_count"
                )
            }},
            {{
                suppress_small_rate(
                    "plain_return",
                    "(complete_count - coalesce(incentive_complete_count, 0))",
                    "(eligible_count - coalesce(incentive_count, 0))",
                )
            }},
            {{ div("median_answer_minutes", "24 * 60") }} as median_answer_days,
            cast(
                {{ days_between("sent_date", "last_submitted_date") }} as bigint
            ) as field_days,
            as_of.reporting_currency_code as currency_code,
            cast(cost_amount as {{ type_amount() }}) as cost_amount,
            {{ div("cost_amount", "complete_count") }} as cost_per_complete,
            cast(planned_count as bigint) as planned_count,
            {{ div("complete_count", "planned_count") }} as achieved_rate,
            cast(budget_amount as {{ type_amount() }}) as budget_amount,
            {{ div("cost_amount", "budget_amount") }} as budget_used_rate,
            answered_count,
            duplicate_count,
            timed_count,
            speeder_count,
            {{ suppress_small_rate("speeder", "speeder_count", "timed_count") }},
            battery_count,
            straight_liner_count,
            {{
                suppress_small_rate(
                    "straight_liner", "straight_liner_count", "battery_count"
                )
            }},
            marked_count,
            {{ suppress_small_mean("best_mark_rate_sum", "marked_count") }}
            as best_mark_rate,
            {{ suppress_small_mean("mark_deviation_sum", "deviation_count") }}
            as mark_deviation_mean,
            coverage_gap_rate,
            effective_count,
            {{
                with_interval(
                    "mode_effect",
                    "mode_effect",
                    "mode_effect_error",
                    when=is_enough("weighted_count"),
                )
            }},
            gift_count as incentive_scored_count,
            plain_count as plain_scored_count,
            {{
                with_interval(
                    "incentive_effect",
                    "incentive_effect",
                    "incentive_effect_error",
                    when=is_enough("least(gift_count, plain_count)"),
                )
            }},
            cast(question_count as bigint) as question_count,
            mode = 'web'
            and question_count > {{ var("survey_item_limit") }} as is_too_long,
            cast(mail_waves_a_year as bigint) as mail_waves_a_year,
            mail_waves_a_year > {{ var("mail_waves_a_year") }} as is_mailed_too_often
        from work
        cross join as_of
        left join modes using (source, survey_id, wave, mode)
        left join gifts using (source, survey_id, wave, mode)
    )

select *
from final
