with
    months as (select * from {{ ref("dim_months") }}),

    segments as (select * from {{ ref("dim_customer_segments") }}),

    members as (
        -- customers who were there before the data began belong to no cohort
        select * from {{ ref("dim_customers") }} where {{ is_in_cohort() }}
    ),

    customer_months as (
        select *
        from {{ ref("fct_customer_months") }}
        where order_count > 0 or booked_order_count > 0 or refund_count > 0
    ),

    activity as (
        select
            segments.segment_by,
            segments.segment,
            members.first_order_month as cohort_month,
            customer_months.month,
            sum(
                case when customer_months.order_count > 0 then 1 else 0 end
            ) as active_count,
            sum({{ waterfall("net", "customer_months") }}) as net_amount,
            sum({{ waterfall("goods_cost", "customer_months") }}) as goods_cost_amount,
            sum(customer_months.costed_amount) as costed_amount,
            sum(customer_months.goods_amount) as goods_amount,
            sum(customer_months.uncosted_line_count) as uncosted_line_count
        from members
        inner join customer_months on members.customer_key = customer_months.base_key
        inner join segments on members.customer_key = segments.customer_key
        group by
            segments.segment_by,
            segments.segment,
            members.first_order_month,
            customer_months.month
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
            -- the same rule as for every margin: too few known unit costs, no margin
            case
                when activity.month is null
                then 0
                when {{ waterfall("is_costed", "activity") }}
                then activity.net_amount - activity.goods_cost_amount
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
            is_observed
            and not is_partial_month
            and cohort_size >= {{ var("min_base") }} as is_shown,
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
            cohort_size < {{ var("min_base") }} as is_suppressed,
            cast(case when is_observed then active_count end as bigint) as active_count,
            case
                when is_shown then {{ div("active_count", "cohort_size") }}
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
                when is_shown and currency_code is not null and first_net_amount > 0
                then {{ div("net_amount", "first_net_amount") }}
            end as revenue_retention_rate,
            case
                when is_shown and currency_code is not null and first_margin_amount > 0
                then {{ div("margin_amount", "first_margin_amount") }}
            end as margin_retention_rate
        from started
    )

select *
from final
