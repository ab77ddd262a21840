{# What we sent or said: interactions that did not come in, and contacts of campaigns that were made. #}
with
    interactions as (select * from {{ ref("fct_interactions") }}),

    campaign_contacts as (select * from {{ ref("fct_campaign_contacts") }}),

    final as (
        select
            interaction_key as contact_key,
            source,
            customer_key,
            interacted_date as contact_date,
            kind,
            channel,
            cast(null as {{ dbt.type_string() }}) as campaign_key,
            kind in ('{{ var("care_kinds") | join("', '") }}') as is_care
        from interactions
        -- a call that came in is no contact of ours
        where coalesce(lower(direction), 'outbound') not in ('in', 'inbound')
        union all
        select
            campaign_contact_key,
            source,
            customer_key,
            contacted_date,
            'campaign',
            null,
            campaign_key,
            coalesce(objective = 'care', false)
        from campaign_contacts
        -- customers of a control group were not contacted
        where arm = 'treated'
    )

select *
from final
