with
    source as (
        {{
            newest_rows(
                "memberships",
                ["_source", "customer_id", "programme_id", "valid_from"],
            )
        }}
    ),

    final as (
        select
            -- keys
            record_key,
            {{ made_key(["_source", "customer_id"]) }} as customer_key,
            {{ made_key(["_source", "programme_id"]) }} as programme_key,

            -- ids
            customer_id,
            programme_id,

            -- texts
            tier,

            -- numbers
            tier_rank,

            -- dates and times
            enrolled_at,
            enrolled_date,
            valid_from,
            valid_to,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "memberships")) }}
        from source
    )

select *
from final
