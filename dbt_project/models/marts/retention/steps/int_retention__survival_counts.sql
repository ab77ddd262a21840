{# Ends and open cases by curve, segment and duration. Contracts are cut by plan and exit fee too. #}
with
    times as (select * from {{ ref("int_retention__survival_times") }}),

    segments as (select * from {{ ref("dim_customer_segments") }}),

    segmented as (
        select
            times.curve,
            -- a contract of somebody whom neither orders nor the CRM know counts in all
            coalesce(segments.segment_by, 'all') as segment_by,
            coalesce(segments.segment, 'all') as segment,
            times.duration_days,
            times.is_event
        from times
        left join segments on times.customer_key = segments.customer_key
        union all
        select curve, 'plan' as segment_by, plan as segment, duration_days, is_event
        from times
        where curve = 'contract'
        union all
        select
            curve,
            'exit_fee' as segment_by,
            exit_fee as segment,
            duration_days,
            is_event
        from times
        where curve = 'contract'
    ),

    final as (
        select
            curve,
            segment_by,
            segment,
            cast(duration_days as bigint) as duration_days,
            cast(sum(case when is_event then 1 else 0 end) as bigint) as event_count,
            cast(sum(case when is_event then 0 else 1 end) as bigint) as censored_count
        from segmented
        group by curve, segment_by, segment, duration_days
    )

select *
from final
