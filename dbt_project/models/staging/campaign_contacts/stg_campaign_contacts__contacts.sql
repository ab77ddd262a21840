with
    source as (
        {{
            newest_rows(
                "campaign_contacts",
                ["_source", "campaign_id", "customer_id", "contacted_at"],
            )
        }}
    ),

    final as (
        select
            -- keys
            record_key,
            {{ made_key(["_source", "campaign_id"]) }} as campaign_key,
            {{ made_key(["_source", "customer_id"]) }} as customer_key,

            -- ids
            campaign_id,
            customer_id,

            -- texts
            arm,

            -- numbers
            cost_amount,

            -- dates and times
            contacted_at,
            contacted_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "campaign_contacts")) }}
        from source
    )

select *
from final
