with
    source as (
        {{
            newest_rows(
                "panel_purchases",
                [
                    "_source",
                    "household_id",
                    "category",
                    "brand",
                    "purchased_at",
                    "purchase_id",
                ],
            )
        }}
    ),

    final as (
        select
            -- keys
            record_key,

            -- ids
            purchase_id,
            household_id,

            -- texts
            category,
            brand,

            -- numbers
            quantity,
            amount,

            -- booleans
            is_us,

            -- dates and times
            purchased_at,
            purchased_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "panel_purchases")) }}
        from source
    )

select *
from final
