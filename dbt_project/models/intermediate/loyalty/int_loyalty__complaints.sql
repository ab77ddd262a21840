with
    as_of as (select * from {{ ref("dim_as_of") }}),

    complaints as (
        select
            tickets.customer_key,
            tickets.opened_date,
            {{ add_days("tickets.opened_date", var("landmark_days")) }}
            as landmark_date,
            row_number() over (
                partition by tickets.customer_key
                order by tickets.opened_at desc, md5(tickets.ticket_key)
            ) as recency
        from {{ ref("fct_tickets") }} as tickets
        cross join as_of
        where
            tickets.kind = 'complaint'
            and tickets.opened_date
            > {{ window_start("as_of.as_of", var("loyalty_window_months")) }}
            -- whether a later complainer buys again nobody has seen yet
            and {{
                add_days(
                    "tickets.opened_date", var("landmark_days") + var("horizon_days")
                )
            }} <= as_of.as_of
    ),

    days as (select * from {{ ref("fct_customer_days") }} where kept_order_count > 0),

    final as (
        select
            complaints.customer_key,
            complaints.opened_date,
            count(days.calendar_date) > 0 as has_bought_again
        from complaints
        left join
            days
            on complaints.customer_key = days.base_key
            and days.calendar_date > complaints.landmark_date
            and days.calendar_date
            <= {{ add_days("complaints.landmark_date", var("horizon_days")) }}
        where complaints.recency = 1
        group by complaints.customer_key, complaints.opened_date
    )

select *
from final
