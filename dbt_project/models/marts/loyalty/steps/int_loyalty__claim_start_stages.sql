{#
  Each customer's stage a year before as_of, and the margin rate of the year since, lapsed or not: the same twelve
  months for all, so that those who stayed are not older than those who left.
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
            customers.is_left_truncated,
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
        group by customers.customer_key, customers.is_left_truncated
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
            {{
                stage_on(
                    day="as_of.start_date",
                    first_date="before.first_date",
                    last_date="before.last_date",
                    order_day_count="before.order_day_count",
                    is_left_truncated="before.is_left_truncated",
                )
            }} as stage,
            {{ waterfall("net", "since") }} as net_amount,
            {{ waterfall("profit", "since") }} as profit_amount
        from before
        cross join as_of
        inner join since on before.customer_key = since.customer_key
    ),

    final as (
        select
            customer_key,
            case
                stage when 'new' then 1 when 'regular' then 2 else 3
            end as stage_number,
            {{ rounded(div("profit_amount", "net_amount"), 9) }} as margin_rate
        from measured
        -- customers who had lapsed by then were in none of the stages
        where stage <> 'lapsed' and net_amount > 0 and profit_amount is not null
    )

select *
from final
