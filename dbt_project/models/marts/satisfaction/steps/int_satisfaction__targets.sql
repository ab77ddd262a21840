with
    targets as (select * from {{ ref("int_targets__current") }}),

    final as (
        select
            record_key as target_key,
            source,
            metric,
            coalesce(segment, 'all') as segment,
            target
        from targets
    )

select *
from final
