{#
  What campaigns cost: their own cost, that of each contact, and for pools driven by contacts what
  one contact of the month cost. Unknown where none of the three is known.
#}
with
    campaigns as (select * from {{ ref("fct_campaigns") }}),

    contacts as (
        select * from {{ ref("fct_campaign_contacts") }} where arm = 'treated'
    ),

    costs as (
        select *
        from {{ ref("fct_costs") }}
        where driver = 'contacts' and limited_to_channel is null
    ),

    allocations as (select * from {{ ref("fct_cost_allocations") }}),

    rates as (
        select
            costs.month,
            costs.limited_to_source,
            {{
                div(
                    "sum(allocations.allocated_amount)",
                    "sum(allocations.driver_quantity)",
                )
            }} as contact_cost
        from costs
        inner join allocations on costs.cost_key = allocations.cost_key
        group by costs.cost_key, costs.month, costs.limited_to_source
    ),

    pooled as (
        select
            contacts.campaign_key,
            sum(cast(rates.contact_cost as {{ type_amount() }})) as pool_amount
        from contacts
        inner join
            rates
            on {{ month_start("contacts.contacted_date") }} = rates.month
            and (
                rates.limited_to_source is null
                or rates.limited_to_source = contacts.source
            )
        group by contacts.campaign_key
    ),

    stated as (
        select campaign_key, sum(cost_amount) as contact_amount
        from contacts
        group by campaign_key
    ),

    final as (
        select
            campaigns.campaign_key,
            case
                when
                    campaigns.cost_amount is null
                    and coalesce(stated.contact_amount, 0) = 0
                    and pooled.pool_amount is null
                then null
                else
                    cast(
                        coalesce(campaigns.cost_amount, 0)
                        + coalesce(stated.contact_amount, 0)
                        + coalesce(pooled.pool_amount, 0) as {{ type_amount() }}
                    )
            end as cost_amount
        from campaigns
        left join stated on campaigns.campaign_key = stated.campaign_key
        left join pooled on campaigns.campaign_key = pooled.campaign_key
    )

select *
from final
