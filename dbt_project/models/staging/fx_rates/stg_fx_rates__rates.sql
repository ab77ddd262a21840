with
    source as (
        {{
            newest_rows(
                "fx_rates",
                ["_source", adapter.quote("date"), "from_currency", "to_currency"],
            )
        }}
    ),

    final as (
        select
            -- keys
            record_key,

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
