{# The waterfall sums of each cohort, cumulated month by month up to as_of; a month without anything is 0. #}
with
    origins as (select * from {{ ref("int_profitability__customer_origins") }}),

    days as (select * from {{ ref("fct_customer_days") }}),

    calendar as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    segments as (select * from {{ ref("dim_customer_segments") }}),

    members as ({{ origin_members("origins", "segments") }}),

    summed as (
        select
            members.segment_by,
            members.segment,
            members.currency_code,
            members.cohort_month,
            calendar.month,
            calendar.is_partial,
            count(
                distinct case when days.order_count > 0 then days.base_key end
            ) as active_count,
            sum(
                coalesce(days.campaign_cost_amount, 0)
                + coalesce(days.interaction_cost_amount, 0)
                + coalesce(days.points_cost_amount, 0)
            ) as retention_cost_amount,
            {{ customer_day_sums("days") }}
        from members
        inner join calendar on members.cohort_month <= calendar.month
        left join
            days on members.customer_key = days.base_key and calendar.month = days.month
        group by
            members.segment_by,
            members.segment,
            members.currency_code,
            members.cohort_month,
            calendar.month,
            calendar.is_partial
    ),

    cumulated as (
        select
            segment_by,
            segment,
            currency_code,
            cohort_month,
            month,
            is_partial,
            active_count,
            retention_cost_amount,
            {{ waterfall("cm3") }} as month_cm3_amount,
            {% for name in ["uncosted_line_count"] + customer_day_amounts() %}
                sum({{ name }}) over (
                    partition by segment_by, segment, currency_code, cohort_month
                    order by month
                    rows between unbounded preceding and current row
                ) as {{ name }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from summed
    ),

    final as (
        select
            segment_by,
            segment,
            currency_code,
            cohort_month,
            month,
            is_partial,
            active_count,
            retention_cost_amount,
            month_cm3_amount as cm3_amount,
            {{ waterfall("net") }} as cumulative_net_amount,
            {{ waterfall("cm3") }} as cumulative_cm3_amount
        from cumulated
    )

select *
from final
