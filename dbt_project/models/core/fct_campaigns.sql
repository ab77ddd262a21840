with
    campaigns as (select * from {{ ref("int_campaigns__current") }}),

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
            {{ x_columns(ref("int_campaigns__current")) }}
        from campaigns
    )

select *
from final
