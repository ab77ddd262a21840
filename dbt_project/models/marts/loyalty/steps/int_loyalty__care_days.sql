{# Days whose outcome can be known: their horizon has passed. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    contacts as (select * from {{ ref("int_loyalty__contacts") }}),

    order_days as (select * from {{ ref("fct_customer_order_days") }}),

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

    final as (
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
    )

select *
from final
