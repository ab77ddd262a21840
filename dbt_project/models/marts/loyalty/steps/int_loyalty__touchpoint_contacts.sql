{# Interactions by channel, in either direction. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    final as (
        select
            interactions.source,
            {{ month_start("interactions.interacted_date") }} as month,
            'channel' as touchpoint_by,
            interactions.channel as touchpoint,
            count(*) as contact_count
        from {{ ref("fct_interactions") }} as interactions
        inner join as_of on interactions.interacted_date <= as_of.as_of
        where interactions.channel is not null
        group by
            interactions.source,
            {{ month_start("interactions.interacted_date") }},
            interactions.channel
    )

select *
from final
