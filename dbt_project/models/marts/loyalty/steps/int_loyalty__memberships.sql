with
    as_of as (select * from {{ ref("dim_as_of") }}),

    memberships as (
        select
            memberships.customer_key,
            memberships.tier,
            memberships.tier_rank,
            memberships.enrolled_date,
            row_number() over (
                partition by memberships.customer_key
                order by
                    memberships.valid_from_date desc,
                    coalesce(memberships.tier_rank, 0) desc,
                    md5(memberships.membership_key)
            ) as recency
        from {{ ref("fct_memberships") }} as memberships
        cross join as_of
        where
            memberships.valid_from_date <= as_of.as_of
            and memberships.valid_to_date >= as_of.as_of
    ),

    entries as (
        select
            entries.customer_key,
            sum(entries.balance_points) as points_balance,
            max(entries.entered_date) as last_entry_date
        from {{ ref("fct_programme_entries") }} as entries
        cross join as_of
        where entries.entered_date <= as_of.as_of
        group by entries.customer_key
    ),

    -- who has points is a member, named in the list or not
    members as (
        select customer_key
        from memberships
        where recency = 1
        union
        select customer_key
        from entries
    ),

    final as (
        select
            members.customer_key,
            memberships.enrolled_date,
            memberships.tier as programme_tier,
            entries.points_balance,
            coalesce(
                entries.last_entry_date
                > {{ add_days("as_of.as_of", -var("churn_days")) }},
                false
            ) as is_active_member
        from members
        cross join as_of
        left join
            memberships
            on members.customer_key = memberships.customer_key
            and memberships.recency = 1
        left join entries on members.customer_key = entries.customer_key
    )

select *
from final
