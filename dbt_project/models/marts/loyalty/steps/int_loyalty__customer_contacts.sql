with
    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    contacts as (select * from {{ ref("int_loyalty__contacts") }}),

    order_days as (select * from {{ ref("fct_customer_order_days") }}),

    -- days of care whose outcome can be known: their horizon has passed
    touched as (
        select distinct
            contacts.customer_key,
            contacts.contact_date as care_date,
            {{ add_days("contacts.contact_date", var("horizon_days")) }} as horizon_date
        from contacts
        cross join as_of
        where
            contacts.is_care
            and {{ add_days("contacts.contact_date", var("horizon_days")) }}
            <= as_of.as_of
    ),

    answered as (
        select
            touched.customer_key,
            touched.care_date,
            max(case when order_days.kept_order_count > 0 then 1 else 0 end)
            = 1 as is_answered
        from touched
        left join
            order_days
            on touched.customer_key = order_days.base_key
            and order_days.calendar_date > touched.care_date
            and order_days.calendar_date <= touched.horizon_date
        group by touched.customer_key, touched.care_date
    ),

    care_days as (
        select
            customer_key,
            count(*) as observed_care_day_count,
            count(case when is_answered then 1 end) as answered_care_day_count
        from answered
        group by customer_key
    ),

    dated as (
        select
            contacts.*,
            contacts.contact_date
            > {{ add_days("as_of.as_of", -var("contact_window_days")) }} as is_recent
        from contacts
        cross join as_of
        where contacts.contact_date <= as_of.as_of
    ),

    counted as (
        select
            customer_key,
            max(contact_date) as last_contact_date,
            count(*) as contact_count,
            count(case when is_recent then 1 end) as recent_contact_count,
            count(
                case when is_recent and campaign_key is not null then 1 end
            ) as recent_campaign_contact_count,
            max(case when is_care then contact_date end) as last_care_date,
            count(case when is_care and is_recent then 1 end) as recent_care_count
        from dated
        group by customer_key
    ),

    -- without any contact on record it is not known whether anybody was contacted
    known as (
        select
            count(*) > 0 as is_known,
            -- a campaign of care, or any interaction that could show care
            count(case when is_care or campaign_key is null then 1 end)
            > 0 as is_care_known
        from contacts
    ),

    final as (
        select
            customers.customer_key,
            customers.source,
            counted.last_contact_date,
            {{ days_between("counted.last_contact_date", "as_of.as_of") }}
            as days_since_contact,
            {% for name, known in [
                ("contact_count", "is_known"),
                ("recent_contact_count", "is_known"),
                ("recent_campaign_contact_count", "is_known"),
                ("recent_care_count", "is_care_known"),
            ] %}
                case
                    when known.{{ known }} then coalesce(counted.{{ name }}, 0)
                end as {{ name }},
            {% endfor %}
            case
                when known.is_known
                then
                    coalesce(counted.recent_contact_count, 0) > {{ var("contact_cap") }}
            end as is_over_contact_cap,
            counted.last_care_date,
            case
                when known.is_care_known then coalesce(counted.recent_care_count, 0) > 0
            end as has_recent_care,
            care_days.observed_care_day_count,
            care_days.answered_care_day_count
        from customers
        cross join as_of
        cross join known
        left join counted on customers.customer_key = counted.customer_key
        left join care_days on customers.customer_key = care_days.customer_key
    )

select *
from final
