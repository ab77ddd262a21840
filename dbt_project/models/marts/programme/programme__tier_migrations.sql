with
    moves as (
        select *, coalesce(programme_id, '') as programme
        from {{ ref("int_programme__tier_moves") }}
    ),

    windows as (select * from {{ ref("dim_value_windows") }} where window_number = 0),

    origins as (
        select
            tier_kind,
            programme,
            tier_from,
            min(rank_from) as rank_from,
            count(*) as base_count
        from moves
        group by tier_kind, programme, tier_from
    ),

    destinations as (
        select tier_kind, programme, tier_to, min(rank_to) as rank_to
        from moves
        group by tier_kind, programme, tier_to
    ),

    counted as (
        select tier_kind, programme, tier_from, tier_to, count(*) as customer_count
        from moves
        group by tier_kind, programme, tier_from, tier_to
    ),

    -- the whole matrix, moves without customers included
    cells as (
        select
            origins.*,
            destinations.tier_to,
            destinations.rank_to,
            coalesce(counted.customer_count, 0) as customer_count
        from origins
        inner join destinations using (tier_kind, programme)
        left join counted using (tier_kind, programme, tier_from, tier_to)
        where not (origins.tier_from = 'none' and destinations.tier_to = 'none')
    ),

    final as (
        select
            {{
                made_key(
                    [
                        "cells.tier_kind",
                        "cells.programme",
                        "cells.tier_from",
                        "cells.tier_to",
                    ]
                )
            }} as tier_migration_key,
            cells.tier_kind,
            nullif(cells.programme, '') as programme_id,
            windows.start_date as window_start_date,
            windows.end_date as window_end_date,
            cells.tier_from,
            cells.tier_to,
            case
                when cells.tier_from = 'none'
                then 'came'
                when cells.tier_to = 'none'
                then 'left'
                when cells.tier_from = cells.tier_to
                then 'stayed'
                when cells.rank_to > cells.rank_from
                then 'up'
                when cells.rank_to < cells.rank_from
                then 'down'
                else 'moved'
            end as direction,
            cast(cells.customer_count as bigint) as customer_count,
            cast(cells.base_count as bigint) as base_count,
            {{
                suppress_small_rate(
                    "migration", "cells.customer_count", "cells.base_count"
                )
            }},
            cells.base_count < {{ var("min_base") }} as is_suppressed,
            case
                when cells.tier_kind <> 'programme'
                then
                    'tiers are made on past luck: the best fall back and others rise without anybody having done anything'
            end as warning
        from cells
        cross join windows
    )

select *
from final
