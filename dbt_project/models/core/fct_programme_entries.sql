with
    programme as (select * from {{ ref("stg_programme__entries") }}),

    merges as (select * from {{ ref("int_customers__merges") }}),

    final as (
        select
            programme.entry_key,
            programme.entry_id,
            programme.source,
            coalesce(
                merges.merged_customer_key, programme.customer_key
            ) as customer_key,
            programme.programme_key,
            programme.programme_id,
            programme.order_key,
            lower(programme.kind) as kind,
            programme.reason,
            programme.entered_at,
            programme.entered_date,
            programme.expires_date,
            programme.points,
            -- what the entry adds to the balance
            case
                when lower(programme.kind) in ('burn', 'expire')
                then - programme.points
                else programme.points
            end as balance_points,
            programme.value_amount
            {{ x_columns(ref("stg_programme__entries"), "programme") }}
        from programme
        left join merges on programme.customer_key = merges.customer_key
    )

select *
from final
