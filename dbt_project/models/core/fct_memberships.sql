with
    memberships as (select * from {{ ref("stg_memberships__memberships") }}),

    merges as (select * from {{ ref("int_customers__merges") }}),

    final as (
        select
            memberships.record_key as membership_key,
            memberships.source,
            coalesce(
                merges.merged_customer_key, memberships.customer_key
            ) as customer_key,
            memberships.programme_key,
            memberships.programme_id,
            memberships.tier,
            memberships.tier_rank,
            memberships.enrolled_at,
            memberships.enrolled_date,
            coalesce(
                memberships.valid_from, memberships.enrolled_date
            ) as valid_from_date,
            coalesce(memberships.valid_to, cast('9999-12-31' as date)) as valid_to_date
            {{ x_columns(ref("stg_memberships__memberships"), "memberships") }}
        from memberships
        left join merges on memberships.customer_key = merges.customer_key
    )

select *
from final
