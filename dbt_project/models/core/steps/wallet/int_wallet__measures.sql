{# Every measure of a customer's wallet in a category and period, side by side: stated, ranked, peers', fitted. #}
{%- set period = "source, customer_key, category, period_grain, period_start_date" -%}
with
    spends as (select * from {{ ref("fct_wallet_spend") }}),

    statements as (select * from {{ ref("int_wallet__period_statements") }}),

    cells as (select * from {{ ref("int_wallet__peer_cells") }}),

    combinations as (
        select distinct
            source,
            category,
            period_grain,
            period_start_date,
            peer_level,
            age_band,
            tenure_band
        from spends
        where peer_level is not null
    ),

    coefficients as (
        select *, cast(coefficient as decimal(18, 8)) as addition
        from {{ source("estimates", "wallet_coefficients") }}
    ),

    -- a level without a coefficient is the reference and adds nothing
    added as (
        select
            combinations.source,
            combinations.category,
            combinations.period_grain,
            combinations.period_start_date,
            combinations.peer_level,
            combinations.age_band,
            combinations.tenure_band,
            sum(coefficients.addition) as log_ceiling
        from combinations
        inner join
            coefficients
            on combinations.source = coefficients.source
            and combinations.category = coefficients.category
            and combinations.period_grain = coefficients.period_grain
            and combinations.period_start_date = coefficients.period_start_date
            and (
                coefficients.attribute = 'intercept'
                or (
                    coefficients.attribute = 'peer_level'
                    and coefficients.level = combinations.peer_level
                )
                or (
                    coefficients.attribute = 'age_band'
                    and coefficients.level = combinations.age_band
                )
                or (
                    coefficients.attribute = 'tenure_band'
                    and coefficients.level = combinations.tenure_band
                )
            )
        group by
            combinations.source,
            combinations.category,
            combinations.period_grain,
            combinations.period_start_date,
            combinations.peer_level,
            combinations.age_band,
            combinations.tenure_band
    ),

    -- the upper percentile of spend that was fitted on attributes
    fitted as (
        select
            *,
            {{ rounded("exp(cast(log_ceiling as " ~ type_double() ~ "))", 4) }}
            as fitted_ceiling_amount
        from added
    ),

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
            {{ own_spend("spends.own_amount", "category") }} as own_amount,
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
