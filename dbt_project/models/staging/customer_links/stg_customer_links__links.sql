with
    source as (
        {{
            newest_rows(
                "customer_links", ["_source", "customer_id", "into_customer_id"]
            )
        }}
    ),

    final as (
        select
            -- keys
            record_key,
            {{ made_key(["_source", "customer_id"]) }} as customer_key,
            {{ made_key(["_source", "into_customer_id"]) }} as into_customer_key,

            -- ids
            customer_id,
            into_customer_id,

            -- dates and times
            linked_at,
            linked_date,
            unlinked_at,
            unlinked_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "customer_links")) }}
        from source
    )

select *
from final
