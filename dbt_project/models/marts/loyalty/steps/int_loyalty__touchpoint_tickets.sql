{# Feedback by where it came in, who handled it, and whether that was a person. #}
with
    -- a source without a single answer, or solution, does not export them
    tickets as (
        select
            *,
            count(first_response_at) over (partition by source) > 0 as has_responses,
            count(resolved_at) over (partition by source) > 0 as has_resolutions
        from {{ ref("fct_tickets") }}
    ),

    as_of as (select * from {{ ref("dim_as_of") }}),

    placed as (
        {% for name, column in [
            ("channel", "channel"),
            ("agent", "handled_by"),
            ("handled_by_kind", "handled_by_kind"),
        ] %}
            select *, '{{ name }}' as touchpoint_by, {{ column }} as touchpoint
            from tickets
            where {{ column }} is not null
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    final as (
        select
            placed.source,
            {{ month_start("placed.opened_date") }} as month,
            placed.touchpoint_by,
            placed.touchpoint,
            count(*) as ticket_count,
            -- answered, or old enough to have been
            case
                when placed.has_responses
                then
                    count(
                        case
                            when
                                placed.first_response_at is not null
                                or placed.resolved_at is not null
                                or {{
                                    add_days(
                                        "placed.opened_date", var("unanswered_days")
                                    )
                                }} <= as_of.as_of
                            then 1
                        end
                    )
            end as answerable_count,
            case
                when placed.has_responses
                then
                    count(
                        case
                            when
                                placed.first_response_at is null
                                and placed.resolved_at is null
                                and {{
                                    add_days(
                                        "placed.opened_date",
                                        var("unanswered_days"),
                                    )
                                }} <= as_of.as_of
                            then 1
                        end
                    )
            end as unanswered_count,
            count(
                case
                    when placed.has_resolutions and placed.promised_date <= as_of.as_of
                    then 1
                end
            ) as due_ticket_count,
            count(
                case
                    when
                        placed.promised_date <= as_of.as_of
                        and placed.resolved_date <= placed.promised_date
                    then 1
                end
            ) as in_time_count,
            count(
                case when placed.status in ('resolved', 'closed') then 1 end
            ) as closed_count,
            count(placed.handled_by_kind) as handled_count,
            count(case when placed.handled_by_kind = 'bot' then 1 end) as bot_count,
            count(placed.satisfaction_score) as ticket_score_count,
            sum(placed.satisfaction_score) as ticket_score_sum
        from placed
        cross join as_of
        where placed.opened_date <= as_of.as_of
        group by
            placed.source,
            placed.has_responses,
            {{ month_start("placed.opened_date") }},
            placed.touchpoint_by,
            placed.touchpoint
    )

select *
from final
