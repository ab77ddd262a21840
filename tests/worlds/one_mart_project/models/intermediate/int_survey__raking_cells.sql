{{ config(materialized="table") }}
-- what the estimates read; there are no surveys here
select
    cast(null as varchar) as source,
    cast(null as varchar) as survey_id,
    cast(null as varchar) as wave,
    cast(null as varchar) as age_band,
    cast(null as varchar) as tenure_band,
    cast(null as varchar) as spend_tercile,
    cast(null as bigint) as base_count,
    cast(null as bigint) as response_count
where false
