{# A rate looks only at tickets whose landmark has come, so that the running quarter is not the worst. #}
with
    counted as (select * from {{ ref("int_satisfaction__feedback_quarters") }}),

    final as (
        select
            channel,
            quarter_start_date,
            ticket_count,
            complaint_count,
            judged_count,
            judged_count < {{ var("min_base") }} as is_suppressed,
            answered_count,
            {{
                shown_rate(
                    "unanswered", "judged_count - answered_count", "judged_count"
                )
            }},
            closed_count,
            {{ shown_rate("loop_closed", "closed_count", "judged_count") }},
            reopened_count,
            {{ shown_rate("reopened", "reopened_count", "ticket_count") }},
            scored_count,
            {{ shown_mean("score_sum", "scored_count") }} as satisfaction_mean,
            handler_count,
            bot_count,
            {{ shown_rate("auto", "bot_count", "handler_count") }},
            bot_judged_count,
            {{ shown_rate("auto_closed", "bot_closed_count", "bot_judged_count") }},
            bot_scored_count,
            human_scored_count,
            {{ shown_mean("bot_score_sum", "bot_scored_count") }}
            - {{ shown_mean("human_score_sum", "human_scored_count") }}
            as auto_satisfaction_gap
        from counted
    )

select *
from final
