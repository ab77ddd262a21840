with
    cells as (select * from {{ ref("stat_retention__contract_cells") }}),

    plans as (
        select source, plan, scope, max(period_number) as last_period
        from cells
        group by source, plan, scope
    ),

    numbers as ({{ numbers(1000) }}),

    grid as (
        select
            plans.source,
            plans.plan,
            plans.scope,
            numbers.n as period_number,
            numbers.n <= plans.last_period as is_observed
        from plans
        inner join
            numbers
            on numbers.n >= 1
            and numbers.n <= plans.last_period + {{ var("contract_future_periods") }}
    ),

    -- at risk in period t: whoever has not left, nor is younger, before it ends
    counted as (
        select
            grid.source,
            grid.plan,
            grid.scope,
            grid.period_number,
            grid.is_observed,
            sum(cells.ended_count + cells.running_count) as at_risk_count,
            sum(
                case
                    when cells.period_number = grid.period_number
                    then cells.ended_count
                    else 0
                end
            ) as ended_count
        from grid
        left join
            cells
            on grid.scope = cells.scope
            and cells.period_number >= grid.period_number
        group by
            grid.source, grid.plan, grid.scope, grid.period_number, grid.is_observed
    ),

    final as (select * from counted)

select *
from final
