{# 1900 to beyond 2170, cut to what the data need #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    -- a refund may be newer than every order, and without one older
    happened as (
        select order_date as calendar_date
        from {{ ref("int_orders__dated") }}
        union all
        select refunded_date
        from {{ ref("stg_refunds__refunds") }}
    ),

    numbers as ({{ numbers(100000) }}),

    bounds as (
        select
            {{
                month_start(
                    "least(min(as_of.data_start_date), min(happened.calendar_date))"
                )
            }} as first_date,
            {{
                add_days(
                    add_months(
                        month_start(
                            "greatest(min(as_of.as_of), max(happened.calendar_date))"
                        ),
                        1,
                    ),
                    -1,
                )
            }} as last_date
        from as_of
        left join happened on true
    ),

    final as (
        select
            {{ add_days("bounds.first_date", "numbers.n") }} as calendar_date,
            {{ month_start(add_days("bounds.first_date", "numbers.n")) }} as month,
            {{ week_start(add_days("bounds.first_date", "numbers.n")) }} as week
        from bounds
        inner join
            numbers
            on numbers.n <= {{ days_between("bounds.first_date", "bounds.last_date") }}
    )

select *
from final
