{# What a customer of either arm did before and after. #}
with
    plans as (
        select * from {{ ref("int_programme__comparison_plans") }} where reason is null
    ),

    as_of as (select * from {{ ref("dim_as_of") }}),

    days as (select * from {{ ref("fct_customer_days") }}),

    arms as (select * from {{ ref("int_programme__comparison_arms") }}),

    periods as (
        select
            plans.comparison_key,
            days.base_key as customer_key,
            days.calendar_date > plans.after_date as is_after,
            count(case when days.order_count > 0 then 1 end) as order_days,
            count(
                case
                    when
                        days.order_count > 0
                        and days.calendar_date
                        > {{ add_days("plans.start_date", var("lift_days") // 2) }}
                    then 1
                end
            ) as late_order_days,
            {{ customer_day_sums("days") }}
        from plans
        inner join
            days
            on days.calendar_date > plans.start_date
            and days.calendar_date <= plans.end_date
            and (
                days.calendar_date <= plans.before_date
                or days.calendar_date > plans.after_date
            )
        where days.base = 'customer'
        group by
            plans.comparison_key, days.base_key, days.calendar_date > plans.after_date
    ),

    valued as (select *, {{ waterfall("cm3") }} as cm3_amount from periods),

    final as (
        select
            arms.comparison_key,
            arms.customer_key,
            arms.is_treated,
            coalesce(before.order_days, 0) as order_days_before,
            coalesce(after.order_days, 0) as order_days_after,
            -- the later half of the days before less the earlier half
            coalesce(2 * before.late_order_days - before.order_days, 0) as trend_days,
            coalesce(after.kept_order_count, 0) > 0 as is_buyer_after,
            -- amounts are compared in one currency only, and where costs are known
            case
                when
                    arms.currency_code = as_of.reporting_currency_code
                    and (before.customer_key is null or before.cm3_amount is not null)
                    and (after.customer_key is null or after.cm3_amount is not null)
                then coalesce(before.cm3_amount, 0)
            end as cm3_before_amount,
            case
                when
                    arms.currency_code = as_of.reporting_currency_code
                    and (before.customer_key is null or before.cm3_amount is not null)
                    and (after.customer_key is null or after.cm3_amount is not null)
                then coalesce(after.cm3_amount, 0)
            end as cm3_after_amount
        from arms
        cross join as_of
        left join
            valued as before
            on arms.comparison_key = before.comparison_key
            and arms.customer_key = before.customer_key
            and not before.is_after
        left join
            valued as after
            on arms.comparison_key = after.comparison_key
            and arms.customer_key = after.customer_key
            and after.is_after
    )

select *
from final
