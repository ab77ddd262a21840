{# The activities that belong to a customer rather than to an order, one row per kind of activity and event. #}
with
    interactions as (select * from {{ ref("fct_interactions") }}),

    contacts as (
        select * from {{ ref("fct_campaign_contacts") }} where arm = 'treated'
    ),

    campaigns as (select * from {{ ref("fct_campaigns") }}),

    tickets as (select * from {{ ref("fct_tickets") }}),

    entries as (select * from {{ ref("fct_programme_entries") }} where kind = 'burn'),

    final as (
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
        -- a campaign's own cost falls on those it was sent to, in the month it began
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
    )

select *
from final
