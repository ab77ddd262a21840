{# The day of a lapse is the one on which the last order is churn_days old; the open gap runs to the as-of date. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    -- gaps need no amounts, so they stay right when a price or a cost is wrong
    ordered as (
        select customer_key, order_date, count(*) as order_count
        from {{ ref("int_orders__dated") }}
        where is_counted and not is_after_as_of
        group by customer_key, order_date
    ),

    days as (
        select
            customers.customer_key,
            customers.source,
            ordered.order_date,
            ordered.order_count,
            row_number() over by_date as order_day_number,
            lead(ordered.order_date) over by_date as next_order_date
        from ordered
        inner join customers on ordered.customer_key = customers.customer_key
        window
            by_date as (partition by customers.customer_key order by ordered.order_date)
    ),

    final as (
        select
            {{ made_key(["days.customer_key", "days.order_date"]) }} as order_gap_key,
            days.customer_key,
            days.source,
            days.order_date,
            cast(days.order_count as bigint) as order_count,
            cast(days.order_day_number as bigint) as order_day_number,
            days.next_order_date,
            days.next_order_date is not null as is_closed,
            cast(
                {{
                    days_between(
                        "days.order_date",
                        "coalesce(days.next_order_date, as_of.as_of)",
                    )
                }} as bigint
            ) as order_gap_days,
            case
                when
                    {{ add_days("days.order_date", var("churn_days")) }}
                    < coalesce(days.next_order_date, {{ add_days("as_of.as_of", 1) }})
                then {{ add_days("days.order_date", var("churn_days")) }}
            end as lapse_date
        from days
        cross join as_of
    )

select *
from final
