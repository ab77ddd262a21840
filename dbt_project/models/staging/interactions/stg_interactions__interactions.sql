with
    source as ({{ newest_rows("interactions", ["_source", "interaction_id"]) }}),

    final as (
        select
            -- keys
            record_key,
            record_key as interaction_key,
            {{ made_key(["_source", "customer_id"]) }} as customer_key,

            -- ids
            interaction_id,
            customer_id,

            -- texts
            channel,
            direction,
            kind,
            handled_by,

            -- numbers
            cost_amount,

            -- dates and times
            {{ adapter.quote("at") }} as interacted_at,
            at_date as interacted_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "interactions")) }}
        from source
    )

select *
from final
