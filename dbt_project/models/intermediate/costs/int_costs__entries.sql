{# Every cost that falls on a customer or on a row outside the base, with its day; pools on the month's first. #}
with
    direct as (select * from {{ ref("int_costs__direct") }}),

    allocations as (select * from {{ ref("fct_cost_allocations") }}),

    costs as (select * from {{ ref("fct_costs") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    entries as (
        select
            case
                when customers.customer_key is null
                then 'unknown:' || as_of.reporting_currency_code
                when customers.currency_code = as_of.reporting_currency_code
                then customers.base_key
                else 'other_currency:' || as_of.reporting_currency_code
            end as base_key,
            direct.cost_date,
            direct.kind,
            direct.amount
        from direct
        cross join as_of
        left join customers on direct.customer_key = customers.customer_key
        union all
        select
            allocations.base_key,
            costs.month,
            case
                when costs.pool = 'campaign' and costs.level = 'campaign'
                then 'campaign'
                when costs.level = 'acquisition'
                then 'acquisition'
                else costs.level || '_pool'
            end,
            allocations.allocated_amount
        from allocations
        inner join costs on allocations.cost_key = costs.cost_key
    ),

    final as (
        select
            case
                when entries.cost_date > as_of.as_of
                then 'after_as_of:' || as_of.reporting_currency_code
                else entries.base_key
            end as base_key,
            as_of.reporting_currency_code as currency_code,
            entries.cost_date,
            entries.kind,
            entries.amount
        from entries
        cross join as_of
    )

select *
from final
