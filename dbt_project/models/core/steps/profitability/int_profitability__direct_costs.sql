{# Costs that a record of the customer states itself, as far as the var costs_from_records admits them. #}
{%- set admitted = var("costs_from_records") -%}
with
    stated as (
        select
            customer_key,
            interacted_date as cost_date,
            'interaction' as kind,
            cost_amount as amount
        from {{ ref("fct_interactions") }}
        where {{ "interaction" in admitted }}
        union all
        select
            customer_key,
            contacted_date,
            case when objective = 'acquisition' then 'acquisition' else 'campaign' end,
            cost_amount
        from {{ ref("fct_campaign_contacts") }}
        where arm = 'treated' and {{ "campaign_contact" in admitted }}
        union all
        select
            customer_key,
            coalesce(resolved_date, opened_date),
            'ticket',
            compensation_amount
        from {{ ref("fct_tickets") }}
        where {{ "compensation" in admitted }}
        union all
        -- points cost when they are burned, and are then no discount
        select customer_key, entered_date, 'points', value_amount
        from {{ ref("fct_programme_entries") }}
        where kind = 'burn' and {{ "points" in admitted }}
    ),

    final as (select * from stated where amount <> 0 and cost_date is not null)

select *
from final
