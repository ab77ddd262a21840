{# A member is on the list of memberships, or has points without being on it. #}
with
    memberships as (select * from {{ ref("fct_memberships") }}),

    entries as (select * from {{ ref("int_programme__points_entries") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    named as (
        select
            source,
            coalesce(programme_key, 'unnamed') as programme_key,
            coalesce(programme_id, 'unnamed') as programme_id,
            customer_key,
            coalesce(enrolled_date, valid_from_date) as enrolled_date,
            valid_to_date
        from memberships
        union all
        select
            source,
            programme_key,
            programme_id,
            customer_key,
            entered_date,
            cast('9999-12-31' as date)
        from entries
    ),

    final as (
        select
            {{
                made_key(
                    ["named.source", "named.programme_key", "named.customer_key"]
                )
            }} as member_key,
            named.source,
            named.programme_key,
            max(named.programme_id) as programme_id,
            named.customer_key,
            min(named.enrolled_date) as enrolled_date,
            {{ month_start("min(named.enrolled_date)") }} as enrolled_month,
            max(named.valid_to_date) as valid_to_date
        from named
        inner join
            customers
            on named.customer_key = customers.customer_key
            and customers.base = 'customer'
        where named.enrolled_date is not null
        group by named.source, named.programme_key, named.customer_key
    )

select *
from final
