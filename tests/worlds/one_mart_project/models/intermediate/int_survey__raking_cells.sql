{{ config(materialized="table") }}
-- what the estimates read; there are no surveys here
select
    cast(null as string) as source,
    cast(null as string) as survey_id,
    cast(null as string) as wave,
    cast(null as string) as age_band,
    cast(null as string) as tenure_band,
    cast(null as string) as spend_tercile,
    cast(null as bigint) as base_count,
    cast(null as bigint) as response_count
where false
