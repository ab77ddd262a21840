with
    events as (select * from {{ ref("int_events__current") }}),

    merges as (select * from {{ ref("int_customers__merges") }}),

    final as (
        select
            events.record_key as event_key,
            events.source,
            coalesce(merges.merged_customer_key, events.customer_key) as customer_key,
            events.order_key,
            events.order_id,
            lower(events.kind) as kind,
            events.occurred_at,
            events.occurred_date,
            coalesce(events.event_count, 1) as event_count
            {{ x_columns(ref("int_events__current"), "events") }}
        from events
        left join merges on events.customer_key = merges.customer_key
    )

select *
from final
