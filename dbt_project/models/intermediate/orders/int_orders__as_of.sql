with
    build as (select * from {{ source("raw", "build") }}),

    orders as (select * from {{ ref("stg_orders__orders") }}),

    observed as (
        select min(ordered_date) as first_date, max(ordered_date) as last_date
        from orders
    ),

    -- without a declared reporting currency, the one most orders are in
    currencies as (
        select
            currency_code,
            row_number() over (order by count(*) desc, currency_code) as place
        from orders
        group by currency_code
    ),

    final as (
        select
            coalesce(build.as_of, observed.last_date) as as_of,
            coalesce(build.data_start, observed.first_date) as data_start_date,
            coalesce(
                build.reporting_currency, currencies.currency_code
            ) as reporting_currency_code
        from observed
        left join build on true
        left join currencies on currencies.place = 1
    )

select *
from final
