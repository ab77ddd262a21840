{%- set running = "is_partial" -%}
{%- set conversion = div("converted_count", "high_intent_count") -%}
with
    activity as (select * from {{ ref("int_retention__segment_activity") }}),

    revenue as (select * from {{ ref("int_retention__segment_revenue") }}),

    segments as (select * from {{ ref("dim_customer_segments") }}),

    promises as (
        select * from {{ ref("fct_survey_results") }} where repurchase_band = 'high'
    ),

    outcomes as (
        select *, {{ month_start("submitted_date") }} as month
        from {{ ref("fct_survey_outcomes") }}
        -- while the days after the answer are not over, every customer may still come
        where is_observed
    ),

    -- those who said they would buy again, and did, by the month of their answer
    intents as (
        select
            segments.segment_by,
            segments.segment,
            outcomes.month,
            cast(count(*) as bigint) as high_intent_count,
            {{ count_among("outcomes.has_repurchased", "outcomes.has_repurchased") }}
            as converted_count
        from outcomes
        inner join promises on outcomes.response_key = promises.response_key
        inner join segments on outcomes.customer_key = segments.customer_key
        group by segments.segment_by, segments.segment, outcomes.month
    ),

    limits as (
        select
            -- before, an earlier order could not have been seen
            {{ add_days("data_start_date", var("churn_days")) }} as first_judged_date,
            {{ add_months(month_start("data_start_date"), var("stable_months") - 1) }}
            as first_stable_month
        from {{ ref("dim_as_of") }}
    ),

    judged as (
        select
            activity.*,
            activity.month >= limits.first_stable_month as has_stable_months,
            activity.month < limits.first_judged_date as is_too_soon,
            case
                when activity.is_partial
                then 'the month is still running'
                when activity.month < limits.first_judged_date
                then 'too soon after the data began'
                when activity.active_start_count < {{ var("min_base") }}
                then 'too few customers'
                when activity.active_start_count is null
                then 'no orders were delivered'
            end as churn_rate_reason
        from activity
        cross join limits
    ),

    final as (
        select
            segment_by,
            segment,
            month,
            is_partial as is_partial_month,
            customer_count,
            cast(active_start_count as bigint) as active_start_count,
            new_count,
            reactivated_count,
            lapsed_count,
            active_end_count,
            case
                when churn_rate_reason is null
                then {{ div("lapsed_count", "active_start_count") }}
            end as churn_rate,
            churn_rate_reason,
            cast(lapsed_start_count as bigint) as lapsed_start_count,
            repeat_customer_count,
            {% for name, part, base in [
                ("winback_rate", "reactivated_count", "lapsed_start_count"),
                ("repeat_rate", "repeat_customer_count", "customer_count"),
                (
                    "repeat_rate_by_orders",
                    "repeat_order_customer_count",
                    "customer_count",
                ),
            ] %}
                {{ month_rate(part, base, base, running) }} as {{ name }},
            {% endfor %}
            ordering_count,
            stable_count,
            case
                when has_stable_months
                then
                    {{
                        month_rate(
                            "stable_count",
                            "ordering_count",
                            "ordering_count",
                            running,
                        )
                    }}
            end as stable_rate,
            currency_code,
            order_amount,
            repeat_amount,
            case
                when not is_partial and not is_too_soon and order_amount > 0
                then {{ div("repeat_amount", "order_amount") }}
            end as repeat_revenue_rate,
            cast(revenue_cv as {{ type_double() }}) as revenue_cv,
            {{
                when_delivered(
                    ["survey_responses", "answers", "scales"],
                    "cast(coalesce(high_intent_count, 0) as bigint)",
                )
            }} as high_intent_count,
            {%- for name, value in [
                ("rate", conversion),
                ("low", wilson_low(conversion, "high_intent_count")),
                ("high", wilson_high(conversion, "high_intent_count")),
            ] %}
                case
                    when not is_partial
                    then {{ suppress_small(value, "high_intent_count") }}
                end as intent_conversion_{{ name }}
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        from judged
        left join revenue using (segment_by, segment, month)
        left join intents using (segment_by, segment, month)
    )

select *
from final
