with
    source as ({{ newest_rows("programme", ["_source", "entry_id"]) }}),

    final as (
        select
            -- keys
            record_key,
            record_key as entry_key,
            {{ made_key(["_source", "customer_id"]) }} as customer_key,
            {{ made_key_or_null(["_source", "programme_id"]) }} as programme_key,
            {{ made_key_or_null(["_source", "order_id"]) }} as order_key,

            -- ids
            entry_id,
            customer_id,
            programme_id,
            order_id,

            -- texts
            kind,
            reason,

            -- numbers
            points,
            value_amount,

            -- dates and times
            {{ adapter.quote("at") }} as entered_at,
            at_date as entered_date,
            expires_at,
            expires_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "programme")) }}
        from source
    )

select *
from final
