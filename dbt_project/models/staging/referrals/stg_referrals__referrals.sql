with
    source as (
        {{
            newest_rows(
                "referrals",
                [
                    "_source",
                    "referrer_customer_id",
                    "invited_at",
                    "referred_customer_id",
                ],
            )
        }}
    ),

    final as (
        select
            -- keys
            record_key,
            {{ made_key(["_source", "referrer_customer_id"]) }}
            as referrer_customer_key,
            {{ made_key_or_null(["_source", "referred_customer_id"]) }}
            as referred_customer_key,

            -- ids
            referrer_customer_id,
            referred_customer_id,

            -- numbers
            reward_amount,

            -- dates and times
            invited_at,
            invited_date,
            accepted_at,
            accepted_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "referrals")) }}
        from source
    )

select *
from final
