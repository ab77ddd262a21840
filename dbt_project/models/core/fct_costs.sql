{#
  Cost pools as delivered, and the cost of each campaign, which is a pool of its own over those it was sent to. Where no
  pool is delivered, assumed default rates, a pool a month.
#}
{%- set admitted = var("costs_from_records") -%}
with
    costs as (select * from {{ ref("stg_costs__pools") }}),

    campaigns as (select * from {{ ref("fct_campaigns") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    rates as (select * from {{ ref("default_cost_rates") }}),

    basis as (select * from {{ ref("dim_cost_basis") }}),

    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    -- what records state themselves is not assumed again
    stated_kinds as (
        {% if "payment_fee" in admitted %}
            select 'payment_fee' as kind
            from {{ ref("stg_orders__orders") }}
            having count(payment_fee_amount) > 0
            union
        {% endif %}
        {% for record, relation in [
            ("interaction", "fct_interactions"),
            ("campaign_contact", "fct_campaign_contacts"),
            ("campaign", "fct_campaigns"),
        ] if record in admitted %}
            select 'contact' as kind
            from {{ ref(relation) }}
            having sum(cost_amount) > 0
            union
        {% endfor %}
        select 'nothing' as kind
    ),

    assumed as (
        select
            {{ made_key(["'assumed'", "rates.pool", "months.month"]) }} as cost_key,
            'assumed '
            || rates.pool
            || ' '
            || substr(cast(months.month as {{ dbt.type_string() }}), 1, 7) as cost_id,
            months.month,
            rates.pool,
            rates.level,
            rates.driver,
            rates.rate as driver_rate
        from rates
        inner join basis on basis.is_assumed
        cross join as_of
        cross join months
        where
            (
                coalesce(rates.currency_code, '') = ''
                or rates.currency_code = as_of.reporting_currency_code
            )
            and coalesce(rates.replaced_by, '') not in (select kind from stated_kinds)
    ),

    pools as (
        select
            record_key as cost_key,
            cost_id,
            source,
            {{ month_start("month") }} as month,
            pool,
            coalesce(lower(level), 'sustaining') as level,
            lower(driver) as driver,
            pool_amount,
            driver_rate,
            limited_to_source,
            limited_to_channel,
            cast(null as {{ dbt.type_string() }}) as campaign_key,
            'delivered' as cost_basis
        from costs
        union all
        select
            cost_key,
            cost_id,
            null as source,
            month,
            pool,
            level,
            driver,
            null as pool_amount,
            driver_rate,
            null as limited_to_source,
            null as limited_to_channel,
            null as campaign_key,
            'assumed default rates' as cost_basis
        from assumed
        {% if "campaign" in var("costs_from_records") %}
            union all
            select
                campaign_key as cost_key,
                'campaign ' || campaign_id as cost_id,
                source,
                {{ month_start("started_date") }} as month,
                'campaign' as pool,
                case
                    when objective = 'acquisition' then 'acquisition' else 'campaign'
                end as level,
                'campaign_contacts' as driver,
                cost_amount as pool_amount,
                cast(null as decimal(18, 8)) as driver_rate,
                cast(null as {{ dbt.type_string() }}) as limited_to_source,
                cast(null as {{ dbt.type_string() }}) as limited_to_channel,
                campaign_key,
                'delivered' as cost_basis
            from campaigns
            where cost_amount <> 0 and started_date is not null
        {% endif %}
    ),

    final as (
        select pools.*, as_of.reporting_currency_code as currency_code
        from pools
        cross join as_of
    )

select *
from final
