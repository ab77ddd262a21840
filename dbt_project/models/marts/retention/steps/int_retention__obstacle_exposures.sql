{#
  Each occasion twice for an event (before and during it, the same customers), once for a delivery (late or in time,
  the state on the promised day, so that nothing is known of the time after).
#}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    exposures as (select * from {{ ref("int_retention__event_exposures") }}),

    orders as (
        select *
        from {{ ref("fct_orders") }}
        where is_counted and base = 'customer' and promised_date is not null
    ),

    order_days as (
        select * from {{ ref("fct_customer_order_days") }} where kept_order_count > 0
    ),

    deliveries as (
        select
            orders.order_key as obstacle_key,
            orders.customer_key,
            coalesce(
                orders.delivered_date > orders.promised_date, true
            ) as has_obstacle,
            count(order_days.calendar_date) > 0 as has_ordered
        from orders
        cross join as_of
        left join
            order_days
            on orders.customer_key = order_days.base_key
            and order_days.calendar_date > orders.promised_date
            and order_days.calendar_date
            <= {{ add_days("orders.promised_date", var("horizon_days")) }}
        where
            {{ add_days("orders.promised_date", var("horizon_days")) }} <= as_of.as_of
            -- delivered or not, the promise came after the order
            and orders.promised_date >= orders.order_date
            and {{ when_delivered("deliveries", "true") }}
        group by
            orders.order_key,
            orders.customer_key,
            orders.delivered_date,
            orders.promised_date
    ),

    occasions as (
        {%- for has, column in [
            ("true", "has_ordered_with"),
            ("false", "has_ordered_without"),
        ] %}
            select
                obstacle_key,
                kind,
                customer_key,
                {{ has }} as has_obstacle,
                {{ column }} as has_ordered
            from exposures
            union all
        {%- endfor %}
        select
            obstacle_key,
            'late_delivery' as kind,
            customer_key,
            has_obstacle,
            has_ordered
        from deliveries
    ),

    final as (
        select
            {{ made_key(["kind", "obstacle_key", "customer_key", "has_obstacle"]) }}
            as exposure_key,
            *
        from occasions
    )

select *
from final
