with
    spends as (select * from {{ ref("fct_wallet_spend") }}),

    cells as (
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
            cells.source,
            cells.category,
            cells.period_grain,
            cells.period_start_date,
            cells.peer_level,
            cells.age_band,
            cells.tenure_band,
            sum(coefficients.addition) as log_ceiling
        from cells
        inner join
            coefficients
            on cells.source = coefficients.source
            and cells.category = coefficients.category
            and cells.period_grain = coefficients.period_grain
            and cells.period_start_date = coefficients.period_start_date
            and (
                coefficients.attribute = 'intercept'
                or (
                    coefficients.attribute = 'peer_level'
                    and coefficients.level = cells.peer_level
                )
                or (
                    coefficients.attribute = 'age_band'
                    and coefficients.level = cells.age_band
                )
                or (
                    coefficients.attribute = 'tenure_band'
                    and coefficients.level = cells.tenure_band
                )
            )
        group by
            cells.source,
            cells.category,
            cells.period_grain,
            cells.period_start_date,
            cells.peer_level,
            cells.age_band,
            cells.tenure_band
    ),

    final as (
        select
            *,
            {{ rounded("exp(cast(log_ceiling as " ~ type_double() ~ "))", 4) }}
            as fitted_ceiling_amount
        from added
    )

select *
from final
