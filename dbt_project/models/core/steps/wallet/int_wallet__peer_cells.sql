{#
  The spend of the best peers, by peer level: cells under the smallest size are pooled once into
  one; a pool that is still small stays and is flagged. An unknown level has no peers.
#}
with
    spends as (
        select *
        from {{ ref("fct_wallet_spend") }}
        where peer_level is not null and own_amount > 0
    ),

    levels as (
        select
            source,
            category,
            period_grain,
            period_start_date,
            peer_level,
            case
                when count(*) >= {{ var("min_peer_cell") }}
                then peer_level
                else '(pooled)'
            end as peer_cell
        from spends
        group by source, category, period_grain, period_start_date, peer_level
    ),

    final as (
        select
            spends.source,
            spends.category,
            spends.period_grain,
            spends.period_start_date,
            spends.customer_key,
            levels.peer_cell,
            count(*) over of_cell as peer_count,
            cume_dist() over (
                partition by
                    spends.source,
                    spends.category,
                    spends.period_grain,
                    spends.period_start_date,
                    levels.peer_cell
                order by spends.own_amount
            ) as peer_percentile
        from spends
        inner join
            levels using (source, category, period_grain, period_start_date, peer_level)
        window
            of_cell as (
                partition by
                    spends.source,
                    spends.category,
                    spends.period_grain,
                    spends.period_start_date,
                    levels.peer_cell
            )
    )

select *
from final
