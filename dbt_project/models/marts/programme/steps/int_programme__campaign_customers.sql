{# Who was reached, who answered, and who came by a campaign. #}
with
    contacts as (select * from {{ ref("fct_campaign_contacts") }}),

    redemptions as (select * from {{ ref("int_programme__redemptions") }}),

    orders as (select * from {{ ref("int_programme__campaign_orders") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    days as (select * from {{ ref("fct_customer_order_days") }} where order_count > 0),

    acquired as (
        select
            coalesce(
                customers.acquisition_campaign_key, orders.campaign_key
            ) as campaign_key,
            customers.customer_key,
            customers.first_order_date,
            {{ add_days("customers.first_order_date", var("churn_days")) }} as end_date
        from customers
        left join
            orders
            on customers.customer_key = orders.customer_key
            and customers.first_order_date = orders.order_date
        where not customers.is_left_truncated and customers.first_order_date is not null
    ),

    came as (
        select
            acquired.campaign_key,
            acquired.customer_key,
            -- the days in which a second order could come are over
            acquired.end_date <= as_of.as_of as is_observed,
            count(distinct days.calendar_date) = 0 as is_one_time
        from acquired
        cross join as_of
        left join
            days
            on acquired.customer_key = days.base_key
            and days.calendar_date > acquired.first_order_date
            and days.calendar_date <= acquired.end_date
        where acquired.campaign_key is not null
        group by
            acquired.campaign_key,
            acquired.customer_key,
            acquired.end_date <= as_of.as_of
    ),

    final as (
        select campaign_key, customer_key, 'sent' as role, count(*) as event_count
        from contacts
        where arm = 'treated'
        group by campaign_key, customer_key
        union all
        select campaign_key, customer_key, 'control', count(*)
        from contacts
        where arm = 'control'
        group by campaign_key, customer_key
        union all
        select campaign_key, customer_key, 'redeemed', count(*)
        from redemptions
        group by campaign_key, customer_key
        union all
        select campaign_key, customer_key, 'ordered', count(*)
        from orders
        where customer_key is not null
        group by campaign_key, customer_key
        union all
        select campaign_key, customer_key, 'acquired', 1
        from came
        union all
        select campaign_key, customer_key, 'acquired_observed', 1
        from came
        where is_observed
        union all
        select campaign_key, customer_key, 'one_time', 1
        from came
        where is_observed and is_one_time
    )

select *
from final
