{# What each customer, or row outside the base, did in a month: the quantities that cost pools are spread by. #}
with
    by_order as (select * from {{ ref("int_profitability__order_activities") }}),

    by_customer as (select * from {{ ref("int_profitability__contact_costs") }}),

    bearers as (select * from {{ ref("int_profitability__cost_owners") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    together as (
        select
            bearer_key,
            month,
            source,
            channel,
            cast(null as {{ dbt.type_string() }}) as campaign_key,
            driver,
            quantity
        from by_order
        union all
        select
            coalesce(
                bearers.bearer_key, 'unknown:' || as_of.reporting_currency_code
            ) as bearer_key,
            by_customer.month,
            by_customer.source,
            by_customer.channel,
            by_customer.campaign_key,
            by_customer.driver,
            by_customer.quantity
        from by_customer
        cross join as_of
        left join bearers on by_customer.customer_key = bearers.customer_key
    ),

    final as (
        select
            bearer_key as base_key,
            month,
            source,
            channel,
            campaign_key,
            driver,
            sum(quantity) as quantity
        from together
        where quantity > 0
        group by bearer_key, month, source, channel, campaign_key, driver
    )

select *
from final
