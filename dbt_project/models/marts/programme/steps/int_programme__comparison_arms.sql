{# Both arms of each comparison that can be made. #}
with
    plans as (
        select * from {{ ref("int_programme__comparison_plans") }} where reason is null
    ),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    members as (select * from {{ ref("int_programme__members") }}),

    contacts as (select * from {{ ref("fct_campaign_contacts") }}),

    final as (
        -- who joins within the days after, in another month, stands on neither side
        select
            plans.comparison_key,
            customers.customer_key,
            customers.currency_code,
            coalesce(members.enrolled_month = plans.month, false) as is_treated
        from plans
        inner join customers on customers.first_order_date <= plans.before_date
        left join
            members
            on customers.customer_key = members.customer_key
            and plans.source = members.source
            and plans.compared_key = members.programme_key
        where
            plans.kind = 'programme'
            and (
                members.customer_key is null
                or members.enrolled_month = plans.month
                or members.enrolled_date > plans.end_date
            )
        union all
        select
            plans.comparison_key,
            customers.customer_key,
            customers.currency_code,
            max(case when contacts.arm = 'treated' then 1 else 0 end) = 1
        from plans
        inner join contacts on plans.compared_key = contacts.campaign_key
        inner join customers on contacts.customer_key = customers.customer_key
        where plans.kind = 'campaign'
        group by plans.comparison_key, customers.customer_key, customers.currency_code
    )

select *
from final
