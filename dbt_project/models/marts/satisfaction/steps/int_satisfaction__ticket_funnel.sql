{# Complaints by source, severity and speed; `resolved` is fast and slow together, `all` everything. Counts only. #}
with
    outcomes as (
        select outcomes.*
        from {{ ref("fct_ticket_outcomes") }} as outcomes
        inner join
            {{ ref("dim_as_of") }} as as_of on outcomes.opened_date <= as_of.as_of
        where outcomes.is_complaint
    ),

    tickets as (select * from {{ ref("fct_tickets") }}),

    severities as ({{ also_as_all("outcomes", "severity", "shown_severity") }}),

    speeds as (
        select ticket_key, 'all' as shown_speed
        from outcomes
        union all
        select ticket_key, speed as shown_speed
        from outcomes
        where speed is not null
        union all
        select ticket_key, 'resolved' as shown_speed
        from outcomes
        where speed in ('fast', 'slow')
    ),

    final as (
        select
            outcomes.source,
            severities.shown_severity as severity,
            speeds.shown_speed as speed,
            count(*) as ticket_count,
            nullif(count(distinct outcomes.customer_key), 0) as customer_count,
            -- a state is known where the landmark has come and the times are known
            {{
                count_where(
                    "outcomes.is_landmark_reached and outcomes.speed is not null"
                )
            }} as landmark_count,
            -- without a first response on record it is not known
            {{
                count_among(
                    "case when outcomes.is_landmark_reached and outcomes.speed is not null then outcomes.is_answered end",
                    "outcomes.is_landmark_reached and outcomes.speed is not null and outcomes.is_answered",
                )
            }}
            as answered_count,
            {% for name, condition in [
                ("resolved", "outcomes.speed in ('fast', 'slow')"),
                ("in_time", "outcomes.speed = 'fast'"),
            ] %}
                {{
                    count_among(
                        "case when outcomes.is_landmark_reached then outcomes.speed end",
                        "outcomes.is_landmark_reached and " ~ condition,
                    )
                }}
                as {{ name }}_count,
            {% endfor %}
            case
                when count(tickets.reopened_count) > 0
                then {{ count_where("tickets.reopened_count > 0") }}
            end as reopened_count,
            {{ count_where("outcomes.is_promise_kept is not null") }}
            as promise_due_count,
            {{ count_among("outcomes.is_promise_kept", "outcomes.is_promise_kept") }}
            as promise_kept_count,
            {{ count_where("outcomes.has_bought_again is not null") }} as outcome_count,
            {{ count_among("outcomes.has_bought_again", "outcomes.has_bought_again") }}
            as bought_again_count,
            {{ count_where("outcomes.has_bought_after_resolution is not null") }}
            as bought_after_resolution_base_count,
            {{
                count_among(
                    "outcomes.has_bought_after_resolution",
                    "outcomes.has_bought_after_resolution",
                )
            }} as textbook_bought_count
        from outcomes
        inner join tickets on outcomes.ticket_key = tickets.ticket_key
        inner join severities on outcomes.ticket_key = severities.ticket_key
        inner join speeds on outcomes.ticket_key = speeds.ticket_key
        group by outcomes.source, severities.shown_severity, speeds.shown_speed
    )

select *
from final
