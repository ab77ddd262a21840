with
    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    gaps as (select * from {{ ref("int_retention__order_gaps") }}),

    habits as (select * from {{ ref("int_retention__habits") }}),

    activity as (select * from {{ ref("int_retention__activity") }}),

    rfm as (select * from {{ ref("int_retention__rfm") }}),

    dated as (
        select
            customers.customer_key,
            customers.source,
            customers.currency_code,
            case
                when customers.first_order_date is not null
                then customers.is_left_truncated
            end as is_left_truncated,
            customers.first_order_date,
            customers.last_order_date,
            cast(
                {{ days_between("customers.first_order_date", "as_of.as_of") }}
                as bigint
            ) as tenure_days,
            cast(
                {{
                    days_between(
                        "customers.first_order_date", "customers.last_order_date"
                    )
                }} as bigint
            ) as span_days,
            cast(
                {{ days_between("customers.last_order_date", "as_of.as_of") }} as bigint
            ) as recency_days,
            cast(customers.order_count as bigint) as order_count,
            cast(customers.order_day_count as bigint) as order_day_count
        from customers
        cross join as_of
    ),

    final as (
        select
            dated.*,
            -- both ends of the tenure are days on which one can order
            {{ div("30 * dated.order_count", "dated.tenure_days + 1") }}
            as orders_per_30_days,
            {{ div("30 * dated.order_day_count", "dated.tenure_days + 1") }}
            as order_days_per_30_days,
            gaps.order_gap_count,
            gaps.median_order_gap_days,
            gaps.mean_order_gap_days,
            gaps.order_gap_cv,
            habits.is_regular,
            habits.order_gap_trend_s,
            habits.order_gap_trend_p_value,
            habits.silence_ratio,
            habits.fading_sign,
            habits.fading_sign <> 'not fading' as is_fading,
            not gaps.is_lapsed as is_active,
            gaps.is_lapsed,
            gaps.lapse_count,
            gaps.first_lapse_date,
            gaps.reactivation_count > 0 as is_reactivated,
            gaps.reactivation_count,
            gaps.reactivated_date,
            activity.active_month_count,
            activity.month_count,
            {{ div("activity.active_month_count", "activity.month_count") }}
            as stickiness_rate,
            rfm.net_amount,
            rfm.window_net_amount,
            rfm.is_heavy_buyer,
            rfm.recency_score,
            rfm.frequency_score,
            rfm.monetary_score,
            {{
                rfm_segment(
                    "rfm.recency_score", "rfm.frequency_score", "gaps.is_lapsed"
                )
            }} as rfm_segment,
            activity.category_count,
            activity.recent_order_amount,
            activity.earlier_order_amount,
            {{ div("activity.recent_order_amount", "activity.earlier_order_amount") }}
            - 1 as order_value_growth_rate
        from dated
        left join gaps on dated.customer_key = gaps.customer_key
        left join habits on dated.customer_key = habits.customer_key
        left join activity on dated.customer_key = activity.customer_key
        left join rfm on dated.customer_key = rfm.customer_key
    )

select *
from final
