{# The days a ticket is judged by, and the order days of its customer before and after them. #}
with
    tickets as (select * from {{ ref("fct_tickets") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    as_of as (select * from {{ ref("dim_as_of") }}),

    orders as (
        select customer_key, order_date, is_kept
        from {{ ref("fct_orders") }}
        where is_counted and base = 'customer'
    ),

    dated as (
        select
            tickets.ticket_key,
            customers.customer_key,
            tickets.opened_date,
            -- what happened after as_of is not known yet; times in the wrong order
            -- give no duration
            case
                when
                    tickets.resolved_date <= as_of.as_of
                    and not tickets.is_resolved_before_opened
                then tickets.resolved_date
            end as resolved_date,
            {{ add_days("tickets.opened_date", var("landmark_days")) }}
            as landmark_date,
            {{ add_days("tickets.opened_date", -var("survey_base_days")) }}
            as prior_start_date,
            as_of.as_of,
            as_of.data_start_date
        from tickets
        cross join as_of
        left join customers on tickets.customer_key = customers.customer_key
    ),

    counted as (
        select
            dated.ticket_key,
            count(
                distinct case
                    when orders.order_date < dated.opened_date then orders.order_date
                end
            ) as prior_order_day_count,
            count(
                case
                    when
                        orders.is_kept
                        and orders.order_date > dated.landmark_date
                        and orders.order_date
                        <= {{
                            add_days(
                                "dated.landmark_date", var("ticket_horizon_days")
                            )
                        }}
                    then 1
                end
            ) as kept_after_landmark_count,
            count(
                case
                    when
                        orders.is_kept
                        and orders.order_date > dated.resolved_date
                        and orders.order_date
                        <= {{
                            add_days(
                                "dated.resolved_date", var("ticket_horizon_days")
                            )
                        }}
                    then 1
                end
            ) as kept_after_resolution_count
        from dated
        inner join
            orders
            on dated.customer_key = orders.customer_key
            and orders.order_date >= dated.prior_start_date
        group by dated.ticket_key
    ),

    final as (
        select
            dated.ticket_key,
            dated.customer_key,
            dated.resolved_date,
            dated.landmark_date,
            {{ add_days("dated.landmark_date", var("ticket_horizon_days")) }}
            as outcome_end_date,
            {{ add_days("dated.resolved_date", var("ticket_horizon_days")) }}
            as textbook_end_date,
            dated.as_of,
            -- days before the data begin have no orders that we could count
            case
                when
                    dated.customer_key is not null
                    and dated.prior_start_date >= dated.data_start_date
                then
                    {{
                        when_delivered(
                            "customer_orders",
                            "coalesce(counted.prior_order_day_count, 0)",
                        )
                    }}
            end as prior_order_day_count,
            coalesce(counted.kept_after_landmark_count, 0)
            > 0 as has_order_after_landmark,
            coalesce(counted.kept_after_resolution_count, 0)
            > 0 as has_order_after_resolution
        from dated
        left join counted on dated.ticket_key = counted.ticket_key
    )

select *
from final
