with
    as_of as (select * from {{ ref("dim_as_of") }}),

    months as (select * from {{ ref("dim_months") }}),

    segments as (select * from {{ ref("dim_customer_segments") }}),

    -- customers who were there before the data began belong to no cohort
    members as (
        select *
        from {{ ref("dim_customers") }}
        where
            base = 'customer' and first_order_date is not null and not is_left_truncated
    ),

    cohorts as (
        select
            segments.segment_by,
            segments.segment,
            members.first_order_month as cohort_month,
            count(*) as cohort_size,
            -- amounts of several currencies are not added up
            case
                when min(members.currency_code) = max(members.currency_code)
                then min(members.currency_code)
            end as currency_code
        from members
        inner join segments on members.customer_key = segments.customer_key
        group by segments.segment_by, segments.segment, members.first_order_month
    ),

    customer_months as (
        select
            members.customer_key,
            members.first_order_month as cohort_month,
            days.month,
            {{ customer_day_sums("days") }}
        from members
        inner join
            {{ ref("fct_customer_days") }} as days
            on members.customer_key = days.base_key
        where days.booked_order_count > 0 or days.refund_count > 0
        group by members.customer_key, members.first_order_month, days.month
    ),

    activity as (
        select
            segments.segment_by,
            segments.segment,
            customer_months.cohort_month,
            customer_months.month,
            sum(
                case when customer_months.order_count > 0 then 1 else 0 end
            ) as active_count,
            sum({{ waterfall("net", "customer_months") }}) as net_amount,
            sum({{ waterfall("goods_cost", "customer_months") }}) as goods_cost_amount,
            sum(customer_months.costed_amount) as costed_amount,
            sum(customer_months.goods_amount) as goods_amount
        from customer_months
        inner join segments on customer_months.customer_key = segments.customer_key
        group by
            segments.segment_by,
            segments.segment,
            customer_months.cohort_month,
            customer_months.month
    ),

    -- every cohort has a row for every month number that the oldest cohort has reached
    grid as (
        select
            cohorts.*,
            {{ months_between("first_month.month", "months.month") }} as month_number,
            {{
                add_months(
                    "cohorts.cohort_month",
                    months_between("first_month.month", "months.month"),
                )
            }} as month
        from cohorts
        cross join (select min(cohort_month) as month from cohorts) as first_month
        inner join
            months on months.month >= first_month.month and not months.is_after_as_of
    ),

    observed as (
        select
            grid.*,
            months.month is not null and not months.is_after_as_of as is_observed,
            coalesce(months.is_partial, false) as is_partial_month,
            coalesce(activity.active_count, 0) as active_count,
            coalesce(activity.net_amount, 0) as net_amount,
            case
                when
                    coalesce(activity.costed_amount, 0)
                    = coalesce(activity.goods_amount, 0)
                    or coalesce(
                        {{ div("activity.costed_amount", "activity.goods_amount") }}
                        >= {{ var("min_cost_coverage") }},
                        false
                    )
                then coalesce(activity.net_amount - activity.goods_cost_amount, 0)
            end as margin_amount
        from grid
        left join months on grid.month = months.month
        left join
            activity
            on grid.segment_by = activity.segment_by
            and grid.segment = activity.segment
            and grid.cohort_month = activity.cohort_month
            and grid.month = activity.month
    ),

    started as (
        select
            *,
            max(case when month_number = 0 then net_amount end) over (
                cohort
            ) as first_net_amount,
            max(case when month_number = 0 then margin_amount end) over (
                cohort
            ) as first_margin_amount
        from observed
        window cohort as (partition by segment_by, segment, cohort_month)
    ),

    final as (
        select
            cohort_month,
            segment_by,
            segment,
            cast(month_number as integer) as month_number,
            month,
            is_partial_month,
            cast(cohort_size as bigint) as cohort_size,
            cast(case when is_observed then active_count end as bigint) as active_count,
            case
                when is_observed and not is_partial_month
                then {{ div("active_count", "cohort_size") }}
            end as retention_rate,
            currency_code,
            cast(
                case
                    when is_observed and currency_code is not null then net_amount
                end as {{ type_amount() }}
            ) as net_amount,
            cast(
                case
                    when is_observed and currency_code is not null then margin_amount
                end as {{ type_amount() }}
            ) as margin_amount,
            case
                when
                    is_observed
                    and not is_partial_month
                    and currency_code is not null
                    and first_net_amount > 0
                then {{ div("net_amount", "first_net_amount") }}
            end as revenue_retention_rate,
            case
                when
                    is_observed
                    and not is_partial_month
                    and currency_code is not null
                    and first_margin_amount > 0
                then {{ div("margin_amount", "first_margin_amount") }}
            end as margin_retention_rate
        from started
    )

select *
from final
