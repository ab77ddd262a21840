with
    source as ({{ newest_rows("customers", ["_source", "customer_id"]) }}),

    final as (
        select
            -- keys
            record_key,
            record_key as customer_key,
            {{ made_key_or_null(["_source", "household_id"]) }} as household_key,
            {{ made_key_or_null(["_source", "payer_id"]) }} as payer_key,
            {{ made_key_or_null(["_source", "referrer_customer_id"]) }}
            as referrer_customer_key,
            {{ made_key_or_null(["_source", "acquisition_campaign_id"]) }}
            as acquisition_campaign_key,

            -- ids
            customer_id,
            household_id,
            payer_id,
            referrer_customer_id,
            acquisition_campaign_id,

            -- texts
            type as customer_type,
            email_hash,
            phone_hash,
            age_band,
            gender,
            region,
            acquisition_source,

            -- numbers
            birth_month,

            -- booleans
            has_email,
            has_phone,
            has_name,
            has_address,
            is_target,

            -- dates and times
            created_at,
            created_date,
            known_since_at,
            known_since_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "customers")) }}
        from source
    )

select *
from final
