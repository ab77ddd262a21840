with
    contracts as (select * from {{ ref("stg_contracts__contracts") }}),

    merges as (select * from {{ ref("int_customers__merges") }}),

    final as (
        select
            contracts.contract_key,
            contracts.contract_id,
            contracts.source,
            coalesce(
                merges.merged_customer_key, contracts.customer_key
            ) as customer_key,
            contracts.plan,
            contracts.started_at,
            contracts.started_date,
            contracts.ended_at,
            contracts.ended_date,
            contracts.end_reason,
            contracts.period_amount,
            contracts.exit_fee_amount
            {{ x_columns(ref("stg_contracts__contracts"), "contracts") }}
        from contracts
        left join merges on contracts.customer_key = merges.customer_key
    )

select *
from final
