{{ config(materialized="table") }}
-- what the estimates read; there are no categories here
select
    cast(null as string) as source,
    cast(null as string) as category,
    cast(null as string) as period_grain,
    cast(null as date) as period_start_date,
    cast(null as string) as peer_level,
    cast(null as string) as age_band,
    cast(null as string) as tenure_band,
    cast(null as decimal(18, 4)) as amount,
    cast(null as bigint) as customer_count,
    cast(null as boolean) as is_held_out
where false
