with
    events as (select * from {{ ref("stg_market_events__events") }}),

    final as (
        select
            record_key as market_event_key,
            source,
            event_id,
            kind,
            category,
            store_id,
            started_at,
            started_date,
            ended_at,
            ended_date,
            depth
        from events
    )

select *
from final
