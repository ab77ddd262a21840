{# Sums of both arms by tenth of the order days before: those who bought as often are compared. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    days as (select * from {{ ref("fct_customer_days") }}),

    members as (select * from {{ ref("int_programme__members") }}),

    contacts as (select * from {{ ref("fct_campaign_contacts") }}),

    plans as (
        select * from {{ ref("int_programme__comparison_plans") }} where reason is null
    ),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    -- the shops that a programme's members come from: other shops' customers cannot
    -- join
    shops as (
        select distinct members.source, members.programme_key, customers.source as shop
        from members
        inner join customers on members.customer_key = customers.customer_key
    ),

    -- both arms of each comparison that can be made
    arms as (
        -- a customer who joins within the days after, in another month, is in no arm
        select
            plans.comparison_key,
            customers.customer_key,
            customers.currency_code,
            coalesce(members.enrolled_month = plans.month, false) as is_treated
        from plans
        inner join
            shops
            on plans.source = shops.source
            and plans.compared_key = shops.programme_key
        inner join
            customers
            on shops.shop = customers.source
            and customers.first_order_date <= plans.before_date
        left join
            members
            on customers.customer_key = members.customer_key
            and plans.source = members.source
            and plans.compared_key = members.programme_key
        where
            plans.kind = 'programme'
            and (
                members.customer_key is null
                or members.enrolled_month = plans.month
                or members.enrolled_date > plans.end_date
            )
        union all
        select
            plans.comparison_key,
            customers.customer_key,
            customers.currency_code,
            max(case when contacts.arm = 'treated' then 1 else 0 end) = 1
        from plans
        inner join contacts on plans.compared_key = contacts.campaign_key
        inner join customers on contacts.customer_key = customers.customer_key
        where plans.kind = 'campaign'
        group by plans.comparison_key, customers.customer_key, customers.currency_code
    ),

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

    -- what a customer of either arm did before and after
    compared as (
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
    ),

    placed as (
        select
            *,
            cast(
                ceil(
                    10 * cume_dist() over (
                        partition by comparison_key order by order_days_before
                    )
                ) as integer
            ) as stratum
        from compared
    ),

    measured as (
        select
            comparison_key,
            is_treated,
            stratum,
            trend_days,
            'order_days' as measure,
            cast(order_days_before as decimal(28, 2)) as before_value,
            cast(order_days_after as decimal(28, 2)) as after_value
        from placed
        union all
        select
            comparison_key,
            is_treated,
            stratum,
            trend_days,
            'cm3',
            cast(cm3_before_amount as decimal(28, 2)),
            cast(cm3_after_amount as decimal(28, 2))
        from placed
        where cm3_after_amount is not null
        union all
        select
            comparison_key,
            is_treated,
            stratum,
            trend_days,
            'buyers',
            cast(case when order_days_before > 0 then 1 else 0 end as decimal(28, 2)),
            cast(case when is_buyer_after then 1 else 0 end as decimal(28, 2))
        from placed
    ),

    changed as (
        select
            *,
            cast(after_value - before_value as decimal(28, 2)) as change_value,
            cast(trend_days as decimal(28, 2)) as trend_value
        from measured
    ),

    final as (
        select
            comparison_key,
            measure,
            stratum,
            is_treated,
            count(*) as customer_count,
            sum(before_value) as before_sum,
            {% for name in ["after", "change", "trend"] %}
                sum({{ name }}_value) as {{ name }}_sum,
                sum({{ name }}_value * {{ name }}_value) as {{ name }}_square_sum
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        from changed
        group by comparison_key, measure, stratum, is_treated
    )

select *
from final
