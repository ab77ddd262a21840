with
    source as (select * from {{ source("raw", "fx_rates") }}),

    final as (
        select
            -- keys
            {{
                made_key(
                    ["_source", adapter.quote("date"), "from_currency", "to_currency"]
                )
            }} as record_key,

            -- texts
            from_currency,
            to_currency,

            -- numbers
            rate as exchange_rate,

            -- dates and times
            {{ adapter.quote("date") }} as rate_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "fx_rates")) }}
        from source
    )

select *
from final
