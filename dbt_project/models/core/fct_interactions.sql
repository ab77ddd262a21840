with
    interactions as (select * from {{ ref("stg_interactions__interactions") }}),

    merges as (select * from {{ ref("int_customers__merges") }}),

    final as (
        select
            interactions.interaction_key,
            interactions.interaction_id,
            interactions.source,
            coalesce(
                merges.merged_customer_key, interactions.customer_key
            ) as customer_key,
            interactions.interacted_at,
            interactions.interacted_date,
            coalesce(lower(interactions.kind), 'other') as kind,
            interactions.channel,
            interactions.direction,
            interactions.handled_by,
            cast(
                coalesce(interactions.cost_amount, 0) as {{ type_amount() }}
            ) as cost_amount
            {{ x_columns(ref("stg_interactions__interactions"), "interactions") }}
        from interactions
        left join merges on interactions.customer_key = merges.customer_key
    )

select *
from final
