with
    contacts as (select * from {{ ref("stg_campaign_contacts__contacts") }}),

    campaigns as (select * from {{ ref("fct_campaigns") }}),

    merges as (select * from {{ ref("int_customers__merges") }}),

    final as (
        select
            contacts.record_key as campaign_contact_key,
            contacts.source,
            contacts.campaign_key,
            contacts.campaign_id,
            coalesce(merges.merged_customer_key, contacts.customer_key) as customer_key,
            campaigns.objective,
            coalesce(lower(contacts.arm), 'treated') as arm,
            -- without a date of its own a contact is dated by its campaign
            coalesce(contacts.contacted_at, campaigns.started_at) as contacted_at,
            coalesce(contacts.contacted_date, campaigns.started_date) as contacted_date,
            cast(
                coalesce(contacts.cost_amount, 0) as {{ type_amount() }}
            ) as cost_amount
            {{ x_columns(ref("stg_campaign_contacts__contacts"), "contacts") }}
        from contacts
        left join campaigns on contacts.campaign_key = campaigns.campaign_key
        left join merges on contacts.customer_key = merges.customer_key
    )

select *
from final
