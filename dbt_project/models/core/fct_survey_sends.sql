with
    sends as (select * from {{ ref("stg_survey_sends__sends") }}),

    merges as (select * from {{ ref("int_customers__merges") }}),

    final as (
        select
            sends.send_key,
            sends.source,
            sends.send_id,
            sends.survey_id,
            -- a survey without waves is counted by calendar month
            coalesce(
                sends.wave,
                substr(cast(sends.sent_date as {{ dbt.type_string() }}), 1, 7)
            ) as wave,
            coalesce(merges.merged_customer_key, sends.customer_key) as customer_key,
            sends.mode,
            sends.attempt,
            sends.sent_at,
            sends.sent_date,
            sends.incentive_amount,
            sends.cost_amount,
            coalesce(sends.disposition, 'unknown') as disposition
        from sends
        left join merges on sends.customer_key = merges.customer_key
    )

select *
from final
