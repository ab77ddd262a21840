with
    source as ({{ newest_rows("survey_responses", ["_source", "response_id"]) }}),

    final as (
        select
            -- keys
            record_key,
            record_key as response_key,
            {{ made_key_or_null(["_source", "customer_id"]) }} as customer_key,
            {{ made_key_or_null(["_source", "order_id"]) }} as order_key,
            {{ made_key_or_null(["_source", "product_id"]) }} as product_key,

            -- ids
            response_id,
            survey_id,
            customer_id,
            order_id,
            product_id,

            -- texts
            wave,
            respondent_type,
            mode,
            touchpoint,
            status,
            incentive,
            language,
            device_hash,

            -- dates and times
            sent_at,
            sent_date,
            started_at,
            started_date,
            submitted_at,
            submitted_date,
            followed_up_at,
            followed_up_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "survey_responses")) }}
        from source
    )

select *
from final
