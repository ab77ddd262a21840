{# Cost pools as delivered, and the cost of each campaign, which is a pool of its own over those it was sent to. #}
with
    costs as (select * from {{ ref("int_costs__current") }}),

    campaigns as (select * from {{ ref("fct_campaigns") }}),

    assumed as (select * from {{ ref("int_profitability__assumed_costs") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

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
