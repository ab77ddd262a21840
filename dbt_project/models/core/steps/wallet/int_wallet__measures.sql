{# Every measure of a customer's wallet in a category and period, side by side: stated, ranked, peers', fitted. #}
{%- set period = "source, customer_key, category, period_grain, period_start_date" -%}
with
    spends as (select * from {{ ref("fct_wallet_spend") }}),

    statements as (select * from {{ ref("int_wallet__period_statements") }}),

    cells as (select * from {{ ref("int_wallet__peer_cells") }}),

    fitted as (select * from {{ ref("int_wallet__ceilings") }}),

    -- the upper percentile of spend in each peer cell
    ceilings as (
        select
            source,
            category,
            period_grain,
            period_start_date,
            cells.peer_cell,
            {{ percentile("spends.own_amount", var("peer_percentile")) }}
            as ceiling_amount
        from cells
        inner join spends using ({{ period }})
        group by source, category, period_grain, period_start_date, cells.peer_cell
    ),

    periods as (
        select {{ period }}
        from spends
        union
        select {{ period }}
        from statements
    ),

    final as (
        select
            periods.*,
            coalesce(spends.own_amount, 0) as own_amount,
            statements.response_key,
            statements.period_days as stated_days,
            statements.stated_amount,
            statements.own_amount_stated_days,
            statements.stated_share,
            statements.sow_stated_raw,
            statements.statement_method,
            statements.statement_share,
            statements.brands_used_count,
            statements.our_rank,
            statements.sow_war,
            statements.is_sole_buyer,
            cells.peer_cell,
            cells.peer_count,
            cells.peer_percentile,
            {{ rounded("ceilings.ceiling_amount", 4) }} as ceiling_amount,
            fitted.fitted_ceiling_amount
        from periods
        left join spends using ({{ period }})
        left join statements using ({{ period }})
        left join cells using ({{ period }})
        left join
            ceilings using (
                source, category, period_grain, period_start_date, peer_cell
            )
        left join
            fitted using (
                source,
                category,
                period_grain,
                period_start_date,
                peer_level,
                age_band,
                tenure_band
            )
    )

select *
from final
