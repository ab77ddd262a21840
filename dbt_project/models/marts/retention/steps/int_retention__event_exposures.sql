{#
  Stock-outs, price rises and outages: the customers of the affected goods or store in the churn_days before, and
  whether they bought anything from us during the event, and in as many days just before it.
#}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    events as (
        select
            events.market_event_key,
            events.source,
            events.kind,
            events.category,
            events.store_id,
            events.started_date,
            -- up to, not with, the day of the end; at least one day
            greatest(
                events.ended_date, {{ add_days("events.started_date", 1) }}
            ) as ended_date
        from {{ ref("fct_market_events") }} as events
        cross join as_of
        -- while it lasts, no one has failed to come
        where
            events.kind in ('stockout', 'price_rise', 'outage')
            and events.ended_date <= as_of.as_of
    ),

    periods as (
        select
            *,
            {{
                add_days(
                    "started_date", "-" ~ days_between("started_date", "ended_date")
                )
            }} as before_date
        from events
    ),

    orders as (
        select * from {{ ref("fct_orders") }} where is_counted and base = 'customer'
    ),

    line_categories as (
        select distinct order_key, category
        from {{ ref("fct_order_lines") }}
        where is_counted and category is not null
    ),

    order_days as (
        select * from {{ ref("fct_customer_order_days") }} where kept_order_count > 0
    ),

    exposed as (
        select distinct
            periods.market_event_key,
            periods.kind,
            periods.before_date,
            periods.started_date,
            periods.ended_date,
            orders.customer_key
        from periods
        inner join
            orders
            on periods.source = orders.source
            and orders.order_date < periods.before_date
            and orders.order_date
            >= {{ add_days("periods.before_date", -var("churn_days")) }}
            and (periods.store_id is null or periods.store_id = orders.store_id)
        left join
            line_categories
            on orders.order_key = line_categories.order_key
            and periods.category = line_categories.category
        where periods.category is null or line_categories.category is not null
    ),

    final as (
        select
            exposed.market_event_key as obstacle_key,
            exposed.kind,
            exposed.customer_key,
            count(case when order_days.calendar_date < exposed.started_date then 1 end)
            > 0 as has_ordered_without,
            count(case when order_days.calendar_date >= exposed.started_date then 1 end)
            > 0 as has_ordered_with
        from exposed
        left join
            order_days
            on exposed.customer_key = order_days.base_key
            and order_days.calendar_date >= exposed.before_date
            and order_days.calendar_date < exposed.ended_date
        group by exposed.market_event_key, exposed.kind, exposed.customer_key
    )

select *
from final
