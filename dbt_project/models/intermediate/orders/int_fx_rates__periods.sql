{# From which day to which a rate of exchange holds: until the next one. #}
with
    -- two sources may state the same day's rate: the first by name counts
    ranked as (
        select
            from_currency,
            to_currency,
            rate_date,
            exchange_rate,
            source,
            row_number() over (
                partition by from_currency, to_currency, rate_date order by source
            ) as place
        from {{ ref("stg_fx_rates__rates") }}
        where exchange_rate > 0
    ),

    final as (
        select
            from_currency,
            to_currency,
            rate_date as valid_from_date,
            coalesce(
                lead(rate_date) over (
                    partition by from_currency, to_currency order by rate_date
                ),
                cast('9999-12-31' as date)
            ) as valid_to_date,
            exchange_rate,
            source
        from ranked
        where place = 1
    )

select *
from final
