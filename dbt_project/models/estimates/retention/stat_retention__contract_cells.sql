{# Lost in period t = ended after more than t - 1 and at most t periods; running = has lived through t periods. #}
{%- set length = var("contract_period_months") -%}
with
    contracts as (select * from {{ ref("fct_contracts") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    looked_at as (
        select
            contracts.source,
            coalesce(contracts.plan, 'unknown') as plan,
            contracts.started_date,
            coalesce(contracts.ended_date <= as_of.as_of, false) as is_ended,
            case
                when contracts.ended_date <= as_of.as_of
                then contracts.ended_date
                else as_of.as_of
            end as until_date
        from contracts
        cross join as_of
        left join customers on contracts.customer_key = customers.customer_key
        where
            contracts.started_date <= as_of.as_of
            -- resellers and staff are no customers
            and coalesce(customers.base, 'customer') = 'customer'
    ),

    months as (
        select
            *,
            {{ months_between("started_date", "until_date") }} - case
                when
                    {{
                        add_months(
                            "started_date",
                            months_between("started_date", "until_date"),
                        )
                    }} > until_date
                then 1
                else 0
            end as full_months
        from looked_at
    ),

    periods as (
        select
            *, cast(floor({{ div("full_months", length) }}) as integer) as full_periods
        from months
    ),

    placed as (
        select
            source,
            plan,
            is_ended,
            case
                when not is_ended
                then full_periods
                when
                    full_periods = 0
                    or {{ add_months("started_date", "full_periods * " ~ length) }}
                    < until_date
                then full_periods + 1
                else full_periods
            end as period_number
        from periods
    ),

    planned as (
        select source, plan, is_ended, period_number
        from placed
        union all
        select source, 'all plans' as plan, is_ended, period_number
        from placed
    ),

    final as (
        select
            source,
            plan,
            source || ', ' || plan as scope,
            period_number,
            sum(case when is_ended then 1 else 0 end) as ended_count,
            sum(case when is_ended then 0 else 1 end) as running_count
        from planned
        group by source, plan, period_number
    )

select *
from final
