{#
  Everybody's stage a year before as_of, and the margin rate of the year since, lapsed or not: the same twelve
  months for all, so that nobody is old because he stayed.
#}
with
    as_of as (
        select *, {{ add_months("as_of", -12) }} as start_date
        from {{ ref("dim_as_of") }}
    ),

    customers as (
        select customers.*
        from {{ ref("dim_customers") }} as customers
        inner join as_of on customers.currency_code = as_of.reporting_currency_code
        where customers.base = 'customer' and not customers.is_left_truncated
    ),

    before as (
        select
            customers.customer_key,
            min(days.calendar_date) as first_date,
            max(days.calendar_date) as last_date,
            count(*) as order_day_count
        from customers
        cross join as_of
        inner join
            {{ ref("fct_customer_days") }} as days
            on customers.customer_key = days.base_key
            and days.calendar_date <= as_of.start_date
        where days.order_count > 0
        group by customers.customer_key
    ),

    since as (
        select customers.customer_key, {{ customer_day_sums("days") }}
        from customers
        cross join as_of
        inner join
            {{ ref("fct_customer_days") }} as days
            on customers.customer_key = days.base_key
            and days.calendar_date > as_of.start_date
            and days.calendar_date <= as_of.as_of
        group by customers.customer_key
    ),

    measured as (
        select
            before.customer_key,
            case
                when
                    before.order_day_count = 1
                    or {{ days_between("before.first_date", "as_of.start_date") }}
                    < {{ var("stage_new_days") }}
                then 1
                when
                    {{ days_between("before.first_date", "as_of.start_date") }}
                    < {{ var("stage_old_days") }}
                then 2
                else 3
            end as stage_number,
            {{ waterfall("net", "since") }} as net_amount,
            {{ waterfall("profit", "since") }} as profit_amount
        from before
        cross join as_of
        inner join since on before.customer_key = since.customer_key
        -- who had lapsed by then was in none of the stages
        where before.last_date > {{ add_days("as_of.start_date", -var("churn_days")) }}
    ),

    final as (
        select
            customer_key,
            stage_number,
            cast(
                {{ div("profit_amount", "net_amount") }} as decimal(18, 9)
            ) as margin_rate
        from measured
        where net_amount > 0 and profit_amount is not null
    )

select *
from final
