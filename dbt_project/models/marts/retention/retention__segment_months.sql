{%- set min_base = var("min_base") -%}
{%- set repeat_by_orders = div(
    "judged.repeat_order_customer_count", "judged.customer_count"
) -%}
{%- set high_intents = "intents.high_intent_count" -%}
{%- set conversion = div("intents.converted_count", high_intents) -%}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    activity as (select * from {{ ref("fct_segment_activity") }}),

    revenue as (select * from {{ ref("fct_segment_revenue") }}),

    intents as (select * from {{ ref("fct_segment_intents") }}),

    timed as (
        select
            activity.*,
            -- before, an earlier order could not have been seen
            activity.month
            < {{ add_days("as_of.data_start_date", var("churn_days")) }} as is_too_soon,
            activity.month
            >= {{
                add_months(
                    month_start("as_of.data_start_date"),
                    var("stable_months") - 1,
                )
            }} as has_stable_months
        from activity
        cross join as_of
    ),

    judged as (
        select
            *,
            case
                when is_partial
                then 'the month is still running'
                when is_too_soon
                then 'too soon after the data began'
                when active_start_count < {{ min_base }}
                then 'too few customers'
            end as churn_rate_reason,
            customer_count >= {{ min_base }} and not is_partial as has_repeat_rate,
            ordering_count >= {{ min_base }}
            and not is_partial
            and has_stable_months as has_stable_rate
        from timed
    ),

    final as (
        select
            judged.segment_by,
            judged.segment,
            judged.month,
            judged.is_partial as is_partial_month,
            judged.customer_count,
            cast(judged.active_start_count as bigint) as active_start_count,
            judged.new_count,
            judged.reactivated_count,
            judged.lapsed_count,
            judged.active_end_count,
            case
                when judged.churn_rate_reason is null
                then {{ div("judged.lapsed_count", "judged.active_start_count") }}
            end as churn_rate,
            judged.churn_rate_reason,
            cast(judged.lapsed_start_count as bigint) as lapsed_start_count,
            case
                when
                    not judged.is_partial
                    and judged.lapsed_start_count >= {{ min_base }}
                then {{ div("judged.reactivated_count", "judged.lapsed_start_count") }}
            end as winback_rate,
            judged.repeat_customer_count,
            case
                when judged.has_repeat_rate
                then {{ div("judged.repeat_customer_count", "judged.customer_count") }}
            end as repeat_rate,
            case
                when judged.has_repeat_rate then {{ repeat_by_orders }}
            end as repeat_rate_by_orders,
            judged.ordering_count,
            judged.stable_count,
            case
                when judged.has_stable_rate
                then {{ div("judged.stable_count", "judged.ordering_count") }}
            end as stable_rate,
            revenue.currency_code,
            revenue.order_amount,
            revenue.repeat_amount,
            case
                when
                    not judged.is_partial
                    and not judged.is_too_soon
                    and revenue.order_amount > 0
                then {{ div("revenue.repeat_amount", "revenue.order_amount") }}
            end as repeat_revenue_rate,
            cast(revenue.revenue_cv as {{ type_double() }}) as revenue_cv,
            cast(coalesce(intents.high_intent_count, 0) as bigint) as high_intent_count,
            {%- for name, value in [
                ("rate", conversion),
                ("low", wilson_low(conversion, high_intents)),
                ("high", wilson_high(conversion, high_intents)),
            ] %}
                case
                    when {{ high_intents }} >= {{ min_base }} and not judged.is_partial
                    then cast({{ value }} as {{ type_double() }})
                end as intent_conversion_{{ name }}
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        from judged
        left join revenue on judged.segment_month_key = revenue.segment_month_key
        left join intents on judged.segment_month_key = intents.segment_month_key
    )

select *
from final
