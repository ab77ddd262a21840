{%- set min_base = var("min_base") -%}
with
    months as (select * from {{ ref("fct_touchpoint_months") }}),

    priors as (select * from {{ ref("fct_touchpoint_priors") }}),

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
                ("return", "returned_count", "order_count"),
            ] %}
                {% if name == "late" %} months.promised_count, {% endif %}
                months.{{ part }},
                {{ div("months." ~ part, "months." ~ base) }} as {{ name }}_rate,
                case
                    when months.{{ base }} = 0
                    then null
                    when priors.{{ name }}_rho is null
                    then {{ div("months." ~ part, "months." ~ base) }}
                    else
                        {{
                            div(
                                "months."
                                ~ part
                                ~ " * priors."
                                ~ name
                                ~ "_rho + (1 - priors."
                                ~ name
                                ~ "_rho) * priors."
                                ~ name
                                ~ "_mean",
                                "months."
                                ~ base
                                ~ " * priors."
                                ~ name
                                ~ "_rho + 1 - priors."
                                ~ name
                                ~ "_rho",
                            )
                        }}
                end as {{ name }}_rate_shrunk,
            {% endfor %}

            -- feedback: answered, in time, closed, by a machine
            months.answerable_count,
            {{ div("months.unanswered_count", "months.answerable_count") }}
            as unanswered_rate,
            months.due_ticket_count,
            {{ div("months.in_time_count", "months.due_ticket_count") }}
            as in_time_rate,
            {{ div("months.closed_count", "months.ticket_count") }} as loop_closed_rate,
            months.handled_count,
            {{ div("months.bot_count", "months.handled_count") }} as auto_rate,
            months.ticket_score_count,
            case
                when months.ticket_score_count >= {{ min_base }}
                then {{ div("months.ticket_score_sum", "months.ticket_score_count") }}
            end as ticket_score_mean,

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
            months.score_count < {{ min_base }} as is_suppressed,
            priors.score_gap as satisfaction_gap_index,
            priors.between_rate as satisfaction_between_rate
        from months
        left join priors using (source, month, touchpoint_by)
    )

select *
from final
