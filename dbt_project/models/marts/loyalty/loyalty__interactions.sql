with
    interactions as (select * from {{ ref("fct_interactions") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    final as (
        select
            interactions.interaction_key,
            interactions.interaction_id,
            interactions.source,
            interactions.customer_key,
            customers.customer_id,
            interactions.interacted_at,
            interactions.interacted_date as interaction_date,
            interactions.kind,
            interactions.channel,
            interactions.direction,
            interactions.handled_by,
            interactions.kind in ('{{ var("care_kinds") | join("', '") }}') as is_care,
            {{ when_delivered("interaction_costs", "interactions.cost_amount") }}
            as cost_amount,
            as_of.reporting_currency_code as currency_code
        from interactions
        cross join as_of
        left join customers on interactions.customer_key = customers.customer_key
        where interactions.interacted_date <= as_of.as_of
    )

select *
from final
