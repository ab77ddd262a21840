with
    source as ({{ newest_rows("contracts", ["_source", "contract_id"]) }}),

    final as (
        select
            -- keys
            record_key,
            record_key as contract_key,
            {{ made_key(["_source", "customer_id"]) }} as customer_key,

            -- ids
            contract_id,
            customer_id,

            -- texts
            plan,
            end_reason,

            -- numbers
            period_amount,
            exit_fee_amount,

            -- dates and times
            started_at,
            started_date,
            ended_at,
            ended_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "contracts")) }}
        from source
    )

select *
from final
