with
    source as (
        {{
            newest_rows(
                "survey_brand_ratings",
                ["_source", "response_id", "category", "brand"],
            )
        }}
    ),

    final as (
        select
            -- keys
            record_key,
            {{ made_key(["_source", "response_id"]) }} as response_key,

            -- ids
            response_id,

            -- texts
            category,
            brand,

            -- numbers
            rating,
            rank,
            stated_amount,
            stated_share,
            period_days,

            -- booleans
            is_us,
            is_used,
            is_considered,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "survey_brand_ratings")) }}
        from source
    )

select *
from final
