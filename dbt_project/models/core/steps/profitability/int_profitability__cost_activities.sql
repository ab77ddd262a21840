{# What each customer, or row outside the base, did in a month: the quantities that cost pools are spread by. #}
{%- set quantities = {
    "orders": "count(*)",
    "lines": "sum(line_count)",
    "units": "sum(unit_count)",
    "amount": "sum(net_amount)",
} -%}
with
    bearers as (select * from {{ ref("int_profitability__cost_owners") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    orders as (select * from {{ ref("fct_orders") }}),

    refunds as (select * from {{ ref("fct_refunds") }}),

    interactions as (select * from {{ ref("fct_interactions") }}),

    campaigns as (select * from {{ ref("fct_campaigns") }}),

    tickets as (select * from {{ ref("fct_tickets") }}),

    contacts as (
        select * from {{ ref("fct_campaign_contacts") }} where arm = 'treated'
    ),

    entries as (select * from {{ ref("fct_programme_entries") }} where kind = 'burn'),

    -- The activities that belong to a customer rather than to an order, one row
    -- per kind of activity and event.
    by_customer as (
        select
            customer_key,
            {{ month_start("interacted_date") }} as month,
            source,
            channel,
            cast(null as {{ dbt.type_string() }}) as campaign_key,
            'contacts' as driver,
            cast(1 as {{ type_amount() }}) as quantity
        from interactions
        union all
        select
            customer_key,
            {{ month_start("contacted_date") }},
            source,
            null,
            null,
            'contacts',
            1
        from contacts
        where contacted_date is not null
        union all
        -- a campaign's own cost is shared by those it was sent to, in its first month
        select
            contacts.customer_key,
            {{ month_start("campaigns.started_date") }},
            contacts.source,
            null,
            contacts.campaign_key,
            'campaign_contacts',
            1
        from contacts
        inner join campaigns on contacts.campaign_key = campaigns.campaign_key
        union all
        select
            customer_key,
            {{ month_start("opened_date") }},
            source,
            channel,
            null,
            'tickets',
            1
        from tickets
        union all
        select
            customer_key,
            {{ month_start("opened_date") }},
            source,
            channel,
            null,
            'ticket_minutes',
            resolution_minutes
        from tickets
        where resolution_minutes is not null
        union all
        select
            customer_key,
            {{ month_start("entered_date") }},
            source,
            null,
            null,
            'points',
            points
        from entries
    ),

    counted as (
        {% for driver, quantity in quantities.items() %}
            select
                base_key,
                currency_code,
                order_month as month,
                source,
                channel,
                '{{ driver }}' as driver,
                {{ quantity }} as quantity
            from orders
            where is_booked
            group by base_key, currency_code, order_month, source, channel
            union all
        {% endfor %}
        select
            refunds.base_key,
            refunds.currency_code,
            {{ month_start("refunds.refund_date") }} as month,
            refunds.source,
            orders.channel,
            'returns' as driver,
            count(*) as quantity
        from refunds
        left join orders on refunds.order_key = orders.order_key and orders.is_booked
        group by
            refunds.base_key,
            refunds.currency_code,
            {{ month_start("refunds.refund_date") }},
            refunds.source,
            orders.channel
    ),

    -- The activities that belong to an order; an amount of another currency drives
    -- no pool.
    by_order as (
        select
            case
                when counted.currency_code = as_of.reporting_currency_code
                then counted.base_key
                else 'other_currency:' || as_of.reporting_currency_code
            end as bearer_key,
            counted.month,
            counted.source,
            counted.channel,
            counted.driver,
            cast(counted.quantity as {{ type_amount() }}) as quantity
        from counted
        cross join as_of
        where
            counted.driver <> 'amount'
            or counted.currency_code = as_of.reporting_currency_code
    ),

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
