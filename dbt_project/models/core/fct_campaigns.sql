with
    campaigns as (select * from {{ ref("stg_campaigns__campaigns") }}),

    final as (
        select
            campaign_key,
            campaign_id,
            source,
            campaign_name,
            coalesce(lower(objective), 'retention') as objective,
            started_at,
            started_date,
            ended_at,
            ended_date,
            cost_amount
            {{ x_columns(ref("stg_campaigns__campaigns")) }}
        from campaigns
    )

select *
from final
