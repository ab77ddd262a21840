{# Every cost of a customer or of a row outside the base, with its day; pools on the first of the month. #}
{%- set admitted = var("costs_from_records") -%}
with
    allocations as (select * from {{ ref("fct_cost_allocations") }}),

    costs as (select * from {{ ref("fct_costs") }}),

    bearers as (select * from {{ ref("int_profitability__cost_owners") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    stated as (
        select
            customer_key,
            interacted_date as cost_date,
            'interaction' as kind,
            cost_amount as amount
        from {{ ref("fct_interactions") }}
        where {{ "interaction" in admitted }}
        union all
        select
            customer_key,
            contacted_date,
            case when objective = 'acquisition' then 'acquisition' else 'campaign' end,
            cost_amount
        from {{ ref("fct_campaign_contacts") }}
        where arm = 'treated' and {{ "campaign_contact" in admitted }}
        union all
        select
            customer_key,
            coalesce(resolved_date, opened_date),
            'ticket',
            compensation_amount
        from {{ ref("fct_tickets") }}
        where {{ "compensation" in admitted }}
        union all
        -- points cost when they are burned, and are then no discount
        select customer_key, entered_date, 'points', value_amount
        from {{ ref("fct_programme_entries") }}
        where kind = 'burn' and {{ "points" in admitted }}
    ),

    -- Costs that a record of the customer states itself, as far as the var
    -- costs_from_records admits them.
    direct as (select * from stated where amount <> 0 and cost_date is not null),

    entries as (
        select
            coalesce(
                bearers.bearer_key, 'unknown:' || as_of.reporting_currency_code
            ) as base_key,
            direct.cost_date,
            direct.kind,
            direct.kind as activity,
            cast(null as {{ dbt.type_string() }}) as driver,
            cast(1 as {{ type_amount() }}) as quantity,
            'stated by the record' as cost_basis,
            direct.amount
        from direct
        cross join as_of
        left join bearers on direct.customer_key = bearers.customer_key
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
            costs.pool,
            costs.driver,
            allocations.driver_quantity,
            costs.cost_basis,
            allocations.allocated_amount
        from allocations
        inner join costs on allocations.cost_key = costs.cost_key
    ),

    dated as (
        select
            case
                when entries.cost_date > as_of.as_of
                then 'after_as_of:' || as_of.reporting_currency_code
                else entries.base_key
            end as base_key,
            as_of.reporting_currency_code as currency_code,
            entries.cost_date,
            entries.kind,
            entries.activity,
            entries.driver,
            entries.cost_basis,
            entries.quantity,
            entries.amount
        from entries
        cross join as_of
    ),

    final as (
        select
            base_key,
            currency_code,
            cost_date,
            kind,
            activity,
            driver,
            cost_basis,
            cast(sum(quantity) as {{ type_amount() }}) as quantity,
            cast(sum(amount) as {{ type_amount() }}) as amount
        from dated
        group by base_key, currency_code, cost_date, kind, activity, driver, cost_basis
    )
select *
from final
