with
    counted as (select * from {{ ref("int_satisfaction__ticket_funnel") }}),

    odds as (select * from {{ ref("int_satisfaction__ticket_odds") }}),

    final as (
        select
            counted.source,
            counted.severity,
            counted.speed,
            counted.ticket_count,
            counted.customer_count,
            counted.landmark_count,
            counted.landmark_count < {{ var("min_base") }} as is_suppressed,
            counted.answered_count,
            {{ suppress_small_rate("answered", "answered_count", "landmark_count") }},
            {{
                suppress_small_rate(
                    "unanswered", "landmark_count - answered_count", "landmark_count"
                )
            }},
            counted.resolved_count,
            {{ suppress_small_rate("resolved", "resolved_count", "landmark_count") }},
            counted.in_time_count,
            {{ suppress_small_rate("in_time", "in_time_count", "landmark_count") }},
            counted.reopened_count,
            {{ suppress_small_rate("reopened", "reopened_count", "ticket_count") }},
            counted.promise_due_count,
            counted.promise_kept_count,
            {{
                suppress_small_rate(
                    "promise_kept", "promise_kept_count", "promise_due_count"
                )
            }},
            counted.outcome_count,
            counted.bought_again_count,
            {{
                suppress_small_rate(
                    "repurchase", "bought_again_count", "outcome_count"
                )
            }},
            counted.bought_after_resolution_base_count,
            {{
                suppress_small_rate(
                    "textbook_repurchase",
                    "textbook_bought_count",
                    "bought_after_resolution_base_count",
                )
            }},
            odds.odds_count,
            {% for end in ["", "_low", "_high"] %}
                {{ suppress_small("odds_ratio" ~ end, "odds_count") }}
                as odds_ratio{{ end }},
            {% endfor %}
            odds.is_odds_corrected,
            odds.adjusted_count,
            {% for end in ["", "_low", "_high"] %}
                {{ suppress_small("odds_ratio_adjusted" ~ end, "adjusted_count") }}
                as odds_ratio_adjusted{{ end }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from counted
        left join odds using (source, severity, speed)
    )

select *
from final
