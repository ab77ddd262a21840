{# Observed renewal of every plan beside the shifted beta-geometric's, and beyond what was observed. #}
with
    fits as (select * from {{ source("estimates", "fits") }} where model = 'sbg'),

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

    -- at risk in period t: customers who have not left, and are old enough, before it
    -- ends
    counted as (
        select
            grid.source,
            grid.plan,
            grid.scope,
            grid.period_number,
            grid.is_observed,
            sum(cells.ended_count + cells.running_count) as at_risk_count,
            -- where no end is given, it is not known that all run on
            {{
                when_delivered(
                    "contract_ends",
                    "sum(case when cells.period_number = grid.period_number then cells.ended_count else 0 end)",
                )
            }}
            as ended_count
        from grid
        left join
            cells
            on grid.scope = cells.scope
            and cells.period_number >= grid.period_number
        group by
            grid.source, grid.plan, grid.scope, grid.period_number, grid.is_observed
    ),

    parameters as (
        select
            scope,
            max(case when parameter = 'a' then value end) as a,
            max(case when parameter = 'b' then value end) as b
        from {{ source("estimates", "parameters") }}
        where model = 'sbg'
        group by scope
    ),

    rated as (
        select
            counted.*,
            case
                when counted.is_observed
                then 1 - {{ div("counted.ended_count", "counted.at_risk_count") }}
            end as retention_rate,
            {{
                div(
                    "parameters.b + counted.period_number - 1",
                    "parameters.a + parameters.b + counted.period_number - 1",
                )
            }} as expected_retention_rate,
            coalesce(fits.reason, 'not fitted') as reason
        from counted
        left join parameters on counted.scope = parameters.scope
        left join fits on counted.scope = fits.scope
    ),

    survived as (
        select
            *,
            -- the product of the renewals so far; 0 from the period on that no one
            -- renewed
            case
                when min(retention_rate) over so_far = 0
                then 0
                when is_observed
                then
                    exp(
                        sum(
                            cast(
                                ln(
                                    case when retention_rate > 0 then retention_rate end
                                ) as decimal(38, 18)
                            )
                        ) over so_far
                    )
            end as survival_rate,
            exp(
                sum(cast(ln(expected_retention_rate) as decimal(38, 18))) over so_far
            ) as expected_survival_rate
        from rated
        window
            so_far as (
                partition by scope
                order by period_number
                rows between unbounded preceding and current row
            )
    ),

    final as (
        select
            source,
            plan,
            scope,
            period_number,
            is_observed,
            case when is_observed then at_risk_count end as at_risk_count,
            case when is_observed then ended_count end as ended_count,
            {{ rounded("retention_rate", 8) }} as retention_rate,
            {{ rounded("case when is_observed then survival_rate end", 8) }}
            as survival_rate,
            {{ rounded("expected_retention_rate", 8) }} as expected_retention_rate,
            {{ rounded("expected_survival_rate", 8) }} as expected_survival_rate,
            -- of a newcomer: 1 for the first period and what survives of each after
            1
            + (sum({{ rounded("expected_survival_rate", 8) }}) over so_far)
            - {{ rounded("expected_survival_rate", 8) }} as expected_lifetime_periods,
            case when expected_retention_rate is null then reason end as missing_reason
        from survived
        window
            so_far as (
                partition by scope
                order by period_number
                rows between unbounded preceding and current row
            )
    )

select *
from final
