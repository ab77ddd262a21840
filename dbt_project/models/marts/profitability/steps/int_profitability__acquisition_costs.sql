{#
  The cost of winning each customer; the customers who were won share all of it. The cost of a campaign is shared by the
  customers it won. A cost without a campaign, or of a campaign that won no customer, is shared by all who began in its month.
#}
with
    origins as (select * from {{ ref("int_profitability__customer_origins") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    spent as (
        select campaign_key, month, pool_amount as amount
        from {{ ref("fct_costs") }}
        where level = 'acquisition' and pool_amount is not null
        {% if "campaign_contact" in var("costs_from_records") %}
            union all
            select
                campaign_key,
                {{ month_start("contacted_date") }} as month,
                cost_amount as amount
            from {{ ref("fct_campaign_contacts") }}
            where
                arm = 'treated'
                and objective = 'acquisition'
                and contacted_date is not null
        {% endif %}
    ),

    -- costs are in the reporting currency: customers of another are not compared with
    -- them
    -- against them
    won as (
        select origins.*
        from origins
        inner join as_of on origins.currency_code = as_of.reporting_currency_code
    ),

    winners as (
        select acquisition_campaign_key as campaign_key, count(*) as customer_count
        from won
        where acquisition_campaign_key is not null
        group by acquisition_campaign_key
    ),

    beginners as (
        select cohort_month as month, count(*) as customer_count
        from won
        group by cohort_month
    ),

    by_campaign as (
        select spent.campaign_key, sum(spent.amount) as amount
        from spent
        cross join as_of
        inner join winners on spent.campaign_key = winners.campaign_key
        where spent.month <= as_of.as_of
        group by spent.campaign_key
    ),

    by_month as (
        select spent.month, sum(spent.amount) as amount
        from spent
        left join winners on spent.campaign_key = winners.campaign_key
        where winners.campaign_key is null
        group by spent.month
    ),

    final as (
        select
            won.customer_key,
            {{
                rounded(
                    "coalesce("
                    ~ div("by_campaign.amount", "winners.customer_count")
                    ~ ", 0) + coalesce("
                    ~ div("by_month.amount", "beginners.customer_count")
                    ~ ", 0)",
                    8,
                )
            }} as acquisition_cost_amount
        from won
        left join winners on won.acquisition_campaign_key = winners.campaign_key
        left join by_campaign on won.acquisition_campaign_key = by_campaign.campaign_key
        left join beginners on won.cohort_month = beginners.month
        left join by_month on won.cohort_month = by_month.month
        -- without any cost of acquisition on record, what winning cost is unknown
        where exists (select 1 from spent where amount > 0)
    )

select *
from final
