{# A rate looks only at tickets whose landmark has come, so that the running quarter is not the worst. #}
with
    tickets as (select * from {{ ref("fct_tickets") }}),

    outcomes as (select * from {{ ref("fct_ticket_outcomes") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    joined as (
        select
            tickets.*,
            cast(
                date_trunc('quarter', tickets.opened_date) as date
            ) as quarter_start_date,
            coalesce(tickets.channel, 'unknown') as known_channel,
            outcomes.is_complaint,
            outcomes.is_answered,
            outcomes.speed,
            outcomes.is_landmark_reached and outcomes.speed is not null as is_judged
        from tickets
        inner join outcomes on tickets.ticket_key = outcomes.ticket_key
        inner join as_of on tickets.opened_date <= as_of.as_of
    ),

    shown as ({{ also_as_all("joined", "known_channel", "shown_channel") }}),

    counted as (
        select
            shown_channel as channel,
            quarter_start_date,
            count(*) as ticket_count,
            {{ count_among("is_complaint", "is_complaint") }} as complaint_count,
            {{ count_where("is_judged") }} as judged_count,
            {{
                count_among(
                    "case when is_judged then is_answered end",
                    "is_judged and is_answered",
                )
            }} as answered_count,
            {{
                count_among(
                    "case when is_judged then speed end",
                    "is_judged and speed in ('fast', 'slow')",
                )
            }} as closed_count,
            count(reopened_count) as reopen_known_count,
            case
                when count(reopened_count) > 0
                then {{ count_where("reopened_count > 0") }}
            end as reopened_count,
            count(satisfaction_score) as scored_count,
            sum(satisfaction_score) as score_sum,
            count(handled_by_kind) as handler_count,
            {{ count_among("handled_by_kind", "handled_by_kind = 'bot'") }}
            as bot_count,
            {{ count_where("is_judged and handled_by_kind = 'bot'") }}
            as bot_judged_count,
            {{
                count_where(
                    "is_judged and handled_by_kind = 'bot' and speed in ('fast', 'slow')"
                )
            }}
            as bot_closed_count,
            {{
                count_where(
                    "handled_by_kind = 'bot' and satisfaction_score is not null"
                )
            }} as bot_scored_count,
            sum(
                case when handled_by_kind = 'bot' then satisfaction_score end
            ) as bot_score_sum,
            {{
                count_where(
                    "handled_by_kind = 'human' and satisfaction_score is not null"
                )
            }} as human_scored_count,
            sum(
                case when handled_by_kind = 'human' then satisfaction_score end
            ) as human_score_sum
        from shown
        group by shown_channel, quarter_start_date
    ),

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
                suppress_small_rate(
                    "unanswered", "judged_count - answered_count", "judged_count"
                )
            }},
            closed_count,
            {{ suppress_small_rate("loop_closed", "closed_count", "judged_count") }},
            reopened_count,
            {{
                suppress_small_rate(
                    "reopened", "reopened_count", "reopen_known_count"
                )
            }},
            scored_count,
            {{ suppress_small_mean("score_sum", "scored_count") }} as satisfaction_mean,
            handler_count,
            bot_count,
            {{ suppress_small_rate("auto", "bot_count", "handler_count") }},
            bot_judged_count,
            {{
                suppress_small_rate(
                    "auto_closed", "bot_closed_count", "bot_judged_count"
                )
            }},
            bot_scored_count,
            human_scored_count,
            {{ suppress_small_mean("bot_score_sum", "bot_scored_count") }}
            - {{ suppress_small_mean("human_score_sum", "human_scored_count") }}
            as auto_satisfaction_gap
        from counted
    )

select *
from final
