{# How long things lasted, and whether they ended or were still running on the as-of date. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    gaps as (select * from {{ ref("fct_order_gaps") }}),

    contracts as (select * from {{ ref("fct_contracts") }}),

    -- customers who were there when the data began have an unknown duration
    newcomers as (
        select gaps.*
        from gaps
        inner join customers on gaps.customer_key = customers.customer_key
        where not customers.is_left_truncated
    ),

    first_lapses as (
        select
            customer_key,
            min(order_date) as first_order_date,
            min(lapse_date) as lapse_date
        from newcomers
        group by customer_key
    ),

    final as (
        select
            'lapse' as curve,
            first_lapses.customer_key,
            cast(null as {{ dbt.type_string() }}) as plan,
            cast(null as {{ dbt.type_string() }}) as exit_fee,
            {{
                days_between(
                    "first_lapses.first_order_date",
                    "coalesce(first_lapses.lapse_date, as_of.as_of)",
                )
            }} as duration_days,
            first_lapses.lapse_date is not null as is_event
        from first_lapses
        cross join as_of
        union all
        select
            'second order' as curve,
            customer_key,
            cast(null as {{ dbt.type_string() }}) as plan,
            cast(null as {{ dbt.type_string() }}) as exit_fee,
            order_gap_days as duration_days,
            is_closed as is_event
        from newcomers
        where order_day_number = 1
        union all
        select
            'gap' as curve,
            customer_key,
            cast(null as {{ dbt.type_string() }}) as plan,
            cast(null as {{ dbt.type_string() }}) as exit_fee,
            order_gap_days as duration_days,
            is_closed as is_event
        from gaps
        union all
        select
            'contract' as curve,
            contracts.customer_key,
            coalesce(contracts.plan, 'unknown') as plan,
            case
                when contracts.exit_fee_amount > 0
                then 'with'
                when contracts.exit_fee_amount = 0
                then 'without'
                else 'unknown'
            end as exit_fee,
            {{
                days_between(
                    "contracts.started_date",
                    "least(coalesce(contracts.ended_date, as_of.as_of), as_of.as_of)",
                )
            }} as duration_days,
            coalesce(contracts.ended_date <= as_of.as_of, false) as is_event
        from contracts
        cross join as_of
        left join customers on contracts.customer_key = customers.customer_key
        where
            coalesce(customers.base, 'customer') = 'customer'
            and contracts.started_date <= as_of.as_of
            -- an end before the beginning is a mistake
            and coalesce(contracts.ended_date >= contracts.started_date, true)
    )

select *
from final
