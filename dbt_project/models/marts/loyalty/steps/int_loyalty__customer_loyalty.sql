with
    signs as (select * from {{ ref("fct_customer_signs") }}),

    attitudes as (select * from {{ ref("fct_customer_attitudes") }}),

    scores as (select * from {{ ref("dim_customer_scores") }}),

    retention as (select * from {{ ref("fct_customer_retention") }}),

    stated_wallets as (select * from {{ ref("fct_stated_wallets") }}),

    joined as (
        select
            signs.*,
            attitudes.loyalty_index >= {{ var("attitude_cut") }} as is_attitude_high,
            coalesce(
                retention.is_active and signs.order_day_count >= 2, false
            ) as is_behaviour_high,
            attitudes.preference_index
            >= {{ var("attitude_cut") }} as is_emotional_buyer,
            retention.is_regular as is_habitual_buyer,
            -- repeat buying, recommendation and identity, each 0..100
            case when signs.is_repeat_buyer then 100 else 0 end as repeat_index,
            case
                when signs.has_referred then 100 else attitudes.recommend_index
            end as word_index,
            attitudes.identity_index,
            scores.stage,
            scores.tier,
            scores.loyalty_class,
            stated_wallets.share_of_wallet
            - stated_wallets.share_before as wallet_share_change
        from signs
        inner join scores on signs.customer_key = scores.customer_key
        left join attitudes on signs.customer_key = attitudes.customer_key
        left join retention on signs.customer_key = retention.customer_key
        left join stated_wallets on signs.customer_key = stated_wallets.customer_key
    ),

    judged as (
        select
            *,
            case
                when is_attitude_high is null
                then 'unmeasured'
                when is_attitude_high and is_behaviour_high
                then 'true'
                when is_attitude_high
                then 'latent'
                when is_behaviour_high
                then 'spurious'
                else 'none'
            end as loyalty_quadrant,
            case
                when is_emotional_buyer and is_habitual_buyer
                then 'emotional and habitual'
                when is_emotional_buyer
                then 'emotional'
                when is_habitual_buyer
                then 'habitual'
                when is_emotional_buyer is not null and is_habitual_buyer is not null
                then 'neither'
            end as loyalty_kind,
            case when word_index is not null then 1 else 0 end
            + case when identity_index is not null then 1 else 0 end
            + 1 as behaviour_index_count,
            tier = 'top_5' as is_key_account,
            wallet_share_change
            <= -{{ var("key_account_share_drop") }} as is_wallet_share_falling,
            loyalty_class <> 'loyal' as is_below_top_score
        from joined
    ),

    final as (
        select
            *,
            {{
                div(
                    "repeat_index + coalesce(word_index, 0) + coalesce(identity_index, 0)",
                    "behaviour_index_count",
                )
            }}
            as behaviour_index,
            case
                when not coalesce(is_key_account, false)
                then false
                when is_wallet_share_falling or is_below_top_score
                then true
                when
                    is_wallet_share_falling is not null
                    or is_below_top_score is not null
                then false
            end as has_key_account_risk
        from judged
    )

select *
from final
