{%- set running = "programme_months.is_partial_month" -%}
with
    points as (select * from {{ ref("int_programme__points_by_month") }}),

    members as (select * from {{ ref("int_programme__member_months") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    lifts as (
        select * from {{ ref("int_programme__comparisons") }} where kind = 'programme'
    ),

    programme_months as (
        select source, programme_key, programme_id, month, is_partial_month
        from points
        union
        select source, programme_key, programme_id, month, is_partial
        from members
    ),

    final as (
        select
            {{
                made_key(
                    [
                        "programme_months.source",
                        "programme_months.programme_key",
                        "programme_months.month",
                    ]
                )
            }} as programme_month_key,
            programme_months.*,
            as_of.reporting_currency_code as currency_code,

            -- points
            earned_points,
            burned_points,
            expired_points,
            adjusted_points,
            balance_points,
            earned_so_far_points,
            -- what is assumed for the liability is given every month, rates of whole
            -- ones
            case when not {{ running }} then redemption_rate end as redemption_rate,
            account_count as breakage_account_count,
            cast(due_points as decimal(38, 4)) as due_points,
            breakage_rate,
            breakage_rate_low,
            breakage_rate_high,
            redeemed_rate as expected_redeemed_rate,
            point_value,
            full_liability_amount,
            liability_amount,
            case
                when balance_points is null
                then 'no points on record'
                else liability_reason
            end as liability_reason,

            -- members
            enrolled_count,
            member_count,
            {{ when_delivered("customer_orders", "active_member_count") }}
            as active_member_count,
            {{
                month_rate(
                    when_delivered("customer_orders", "active_member_count"),
                    "member_count",
                    "member_count",
                    running,
                )
            }} as active_member_rate,
            member_net_amount,
            total_net_amount,
            case
                when not {{ running }} and total_net_amount > 0
                then {{ div("coalesce(member_net_amount, 0)", "total_net_amount") }}
            end as member_revenue_rate,

            -- those who joined in the month against those who never did
            {{ lift_columns("order_days", "lift_order_days") }},
            {{ lift_columns("margins", "lift_margin") }},
            cast(order_days.matched_treated_count as bigint) as lift_member_count,
            cast(order_days.matched_control_count as bigint) as lift_control_count,
            case
                when order_days.reason is null then order_days.trend_p_value
            end as lift_pre_trend_p_value,
            -- members choose themselves: non-members replace a control arm
            false as has_control_arm,
            case
                when order_days.comparison_key is null
                then 'no one joined in this month'
                else order_days.reason
            end as lift_reason
        from programme_months
        cross join as_of
        left join points using (source, programme_key, month)
        left join members using (source, programme_key, month)
        left join
            lifts as order_days
            on programme_months.source = order_days.source
            and programme_months.programme_key = order_days.compared_key
            and programme_months.month = order_days.month
            and order_days.measure = 'order_days'
        left join
            lifts as margins
            on order_days.comparison_key = margins.comparison_key
            and margins.measure = 'cm3'
    )

select *
from final
