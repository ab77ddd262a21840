with
    source as ({{ newest_rows("survey_sends", ["_source", "send_id"]) }}),

    final as (
        select
            -- keys
            record_key,
            record_key as send_key,
            {{ made_key_or_null(["_source", "customer_id"]) }} as customer_key,

            -- ids
            send_id,
            survey_id,
            customer_id,

            -- texts
            wave,
            mode,
            disposition,

            -- numbers
            attempt,
            incentive_amount,
            cost_amount,

            -- dates and times
            sent_at,
            sent_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "survey_sends")) }}
        from source
    )

select *
from final
