{# Each campaign by itself, and all campaigns of a source together. #}
with
    campaigns as (select * from {{ ref("fct_campaigns") }}),

    final as (
        select campaign_key, campaign_key as scope_key, source
        from campaigns
        union all
        select campaign_key, 'all:' || source, source
        from campaigns
    )

select *
from final
