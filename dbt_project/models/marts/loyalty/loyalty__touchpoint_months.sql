{%- set min_base = var("min_base") -%}
{%- set is_rated = "not months.is_partial_month" -%}
with
    months as (select * from {{ ref("fct_touchpoint_months") }}),

    priors as (select * from {{ ref("fct_touchpoint_priors") }}),

    -- a person's tickets of a month are too few for a mean: those of twelve months
    years as (
        select
            months.touchpoint_month_key,
            cast(sum(earlier.ticket_score_count) as bigint) as score_count,
            sum(earlier.ticket_score_sum) as score_sum
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
            months.touchpoint_month_key,
            months.source,
            months.month,
            months.is_partial_month,
            months.touchpoint_by,
            months.touchpoint,
            months.order_count,
            months.ticket_count,
            months.contact_count,
            months.response_count,

            -- orders: what went wrong, raw and pulled to the touchpoints of the same
            -- kind
            {% for name, part, base in [
                ("failure", "failed_count", "order_count"),
                ("late", "late_count", "promised_count"),
                ("return", "returned_count", "returnable_count"),
            ] %}
                {% if name == "late" %} months.promised_count, {% endif %}
                {% if name == "return" %}
                    case
                        when months.order_count = 0 or months.returnable_count > 0
                        then months.returned_count
                    end as returned_count,
                {% else %} months.{{ part }},
                {% endif %}
                case
                    when {{ is_rated }} and months.{{ base }} >= {{ min_base }}
                    then {{ div("months." ~ part, "months." ~ base) }}
                end as {{ name }}_rate,
                case
                    when {{ is_rated }}
                    then {{ shrunk_rate(name, "months." ~ part, "months." ~ base) }}
                end as {{ name }}_rate_shrunk,
            {% endfor %}
            -- feedback: answered, in time, closed, by a machine
            {% for name, part, base in [
                ("unanswered", "unanswered_count", "answerable_count"),
                ("in_time", "in_time_count", "due_ticket_count"),
                ("loop_closed", "closed_count", "ticket_count"),
                ("auto", "bot_count", "handled_count"),
            ] %}
                {% if base != "ticket_count" %} months.{{ base }}, {% endif %}
                months.{{ part }},
                case
                    when {{ is_rated }} and months.{{ base }} >= {{ min_base }}
                    then {{ div("months." ~ part, "months." ~ base) }}
                end as {{ name }}_rate,
            {% endfor %}
            months.ticket_score_count,
            case
                when months.ticket_score_count >= {{ min_base }}
                then {{ div("months.ticket_score_sum", "months.ticket_score_count") }}
            end as ticket_score_mean,
            coalesce(years.score_count, 0) as ticket_score_year_count,
            case
                when years.score_count >= {{ min_base }}
                then {{ div("years.score_sum", "years.score_count") }}
            end as ticket_score_year_mean,
            -- what customers say
            {% for name, shown in [
                ("score", "satisfaction_index"),
                ("effort", "effort_index"),
                ("convenience", "convenience_index"),
            ] %}
                months.{{ name }}_count as {{ shown }}_n,
                case
                    when months.{{ name }}_count >= {{ min_base }}
                    then
                        {{
                            div(
                                "months." ~ name ~ "_sum", "months." ~ name ~ "_count"
                            )
                        }}
                end as {{ shown }},
            {% endfor %}
            case
                when months.score_count = 0
                then null
                when priors.score_variance_between > 0
                then
                    {{
                        div(
                            "months.score_sum * priors.score_variance_between"
                            ~ " + priors.score_mean * priors.score_variance_within",
                            "months.score_count * priors.score_variance_between"
                            ~ " + priors.score_variance_within",
                        )
                    }}
                when priors.score_variance_between = 0
                then priors.score_mean
            end as satisfaction_index_shrunk,
            months.score_count < {{ min_base }} as is_suppressed,
            priors.score_gap as satisfaction_gap_index,
            case
                when {{ is_rated }} then priors.between_rate
            end as satisfaction_between_rate
        from months
        left join priors using (source, month, touchpoint_by)
        left join years on months.touchpoint_month_key = years.touchpoint_month_key
    )

select *
from final
