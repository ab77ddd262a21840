with
    source as ({{ newest_rows("campaigns", ["_source", "campaign_id"]) }}),

    final as (
        select
            -- keys
            record_key,
            record_key as campaign_key,

            -- ids
            campaign_id,

            -- texts
            name as campaign_name,
            objective,

            -- numbers
            cost_amount,

            -- dates and times
            started_at,
            started_date,
            ended_at,
            ended_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "campaigns")) }}
        from source
    )

select *
from final
