{# Whom a campaign, or any, had contacted in the exposure_days before asking. #}
with
    scopes as (select * from {{ ref("int_programme__campaign_scopes") }}),

    contacts as (
        select * from {{ ref("fct_campaign_contacts") }} where arm = 'treated'
    ),

    answers as (select * from {{ ref("int_programme__campaign_answers") }}),

    final as (
        select distinct answers.response_key, scopes.scope_key
        from answers
        inner join contacts on answers.customer_key = contacts.customer_key
        inner join scopes on contacts.campaign_key = scopes.campaign_key
        where
            contacts.contacted_date <= answers.asked_date
            and contacts.contacted_date
            > {{
                add_days(
                    "answers.asked_date",
                    -var("exposure_days"),
                )
            }}
    )

select *
from final
