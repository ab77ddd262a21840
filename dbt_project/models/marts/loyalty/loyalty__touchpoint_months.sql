{%- set running = "is_partial_month" -%}
with
    months as (select * from {{ ref("int_loyalty__touchpoint_months") }}),

    priors as (select * from {{ ref("int_loyalty__touchpoint_priors") }}),

    score_priors as (select * from {{ ref("int_loyalty__touchpoint_score_priors") }}),

    -- a person's tickets of a month are too few for a mean: those of twelve months
    years as (
        select
            months.touchpoint_month_key,
            cast(sum(earlier.ticket_score_count) as bigint) as year_score_count,
            sum(earlier.ticket_score_sum) as year_score_sum
        from months
        inner join
            months as earlier
            on months.source = earlier.source
            and months.touchpoint_by = earlier.touchpoint_by
            and months.touchpoint = earlier.touchpoint
            and earlier.month <= months.month
            and earlier.month > {{ add_months("months.month", -12) }}
        where earlier.ticket_score_count > 0
        group by months.touchpoint_month_key
    ),

    final as (
        select
            touchpoint_month_key,
            source,
            month,
            is_partial_month,
            touchpoint_by,
            touchpoint,
            order_count,
            ticket_count,
            contact_count,
            response_count,

            -- orders: what went wrong, raw and pulled to the touchpoints of the same
            -- kind
            promised_count,
            failed_count,
            case
                when order_count = 0 or promised_count > 0 then late_count
            end as late_count,
            case
                when order_count = 0 or returnable_count > 0 then returned_count
            end as returned_count,
            {% for name, part, base in [
                ("failure", "failed_count", "order_count"),
                ("late", "late_count", "promised_count"),
                ("return", "returned_count", "returnable_count"),
            ] %}
                {{ month_rate(part, base, base, running) }} as {{ name }}_rate,
                case
                    when not {{ running }} then {{ shrunk_rate(name, part, base) }}
                end as {{ name }}_rate_shrunk,
            {% endfor %}

            -- feedback: answered, in time, closed, by a machine
            answerable_count,
            due_ticket_count,
            handled_count,
            {% for name, part, base in [
                ("unanswered", "unanswered_count", "answerable_count"),
                ("in_time", "in_time_count", "due_ticket_count"),
                ("loop_closed", "closed_count", "ticket_count"),
                ("auto", "bot_count", "handled_count"),
            ] %}
                -- of a state that is known of no ticket there is no count
                case
                    when ticket_count = 0 or {{ base }} > 0 then {{ part }}
                end as {{ part }},
                {{ month_rate(part, base, base, running) }} as {{ name }}_rate,
            {% endfor %}
            ticket_score_count,
            {{ suppress_small_mean("ticket_score_sum", "ticket_score_count") }}
            as ticket_score_mean,
            {{ when_delivered("tickets", "coalesce(year_score_count, 0)") }}
            as ticket_score_year_count,
            {{ suppress_small_mean("year_score_sum", "year_score_count") }}
            as ticket_score_year_mean,

            -- what customers say
            {% for name, index in [
                ("effort", "effort_index"),
                ("convenience", "convenience_index"),
            ] %}
                {{ name }}_count as {{ index }}_count,
                {{ suppress_small_mean(name ~ "_sum", name ~ "_count") }}
                as {{ index }},
            {% endfor %}
            score_count as satisfaction_index_count,
            {{
                mean_with_interval(
                    "satisfaction_index",
                    "score_sum",
                    "score_square_sum",
                    "score_count",
                    least=0,
                    most=100,
                )
            }},
            {{ shrunk_mean("score", "score_sum", "score_count") }}
            as satisfaction_index_shrunk,
            score_count < {{ var("min_base") }} as is_suppressed,
            score_gap as satisfaction_gap_index,
            case
                when not {{ running }} then between_rate
            end as satisfaction_between_rate
        from months
        left join priors using (source, touchpoint_by)
        left join score_priors using (source, month, touchpoint_by)
        left join years using (touchpoint_month_key)
    )

select *
from final
