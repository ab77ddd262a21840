{# The upper percentile of spend in each peer cell. #}
with
    cells as (select * from {{ ref("int_wallet__peer_cells") }}),

    spends as (select * from {{ ref("fct_wallet_spend") }}),

    final as (
        select
            cells.source,
            cells.category,
            cells.period_grain,
            cells.period_start_date,
            cells.peer_cell,
            {{ percentile("spends.own_amount", var("peer_percentile")) }}
            as ceiling_amount
        from cells
        inner join
            spends using (
                source, category, period_grain, period_start_date, customer_key
            )
        group by
            cells.source,
            cells.category,
            cells.period_grain,
            cells.period_start_date,
            cells.peer_cell
    )

select *
from final
