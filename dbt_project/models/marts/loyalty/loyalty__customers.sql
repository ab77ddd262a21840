with
    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    loyalty as (select * from {{ ref("int_loyalty__customer_loyalty") }}),

    attitudes as (select * from {{ ref("fct_customer_attitudes") }}),

    wallets as (select * from {{ ref("int_loyalty__latest_wallets") }}),

    promotions as (select * from {{ ref("fct_customer_rival_promotions") }}),

    contacts as (select * from {{ ref("int_loyalty__customer_contacts") }}),

    profiles as (select * from {{ ref("int_loyalty__customer_profiles") }}),

    actions as (select * from {{ ref("int_loyalty__customer_actions") }} where is_due),

    final as (
        select
            customers.customer_key,
            customers.customer_id,
            customers.source,
            customers.is_target,
            loyalty.stage,
            loyalty.tier,
            loyalty.loyalty_quadrant,
            loyalty.is_attitude_high,
            loyalty.is_behaviour_high,
            {{
                when_delivered(
                    "customer_orders", "cast(loyalty.order_day_count as bigint)"
                )
            }} as order_day_count,
            cast(attitudes.loyalty_index as {{ type_double() }}) as loyalty_index,
            cast(attitudes.loyalty_index_count as bigint) as loyalty_index_count,
            cast(
                attitudes.satisfaction_index as {{ type_double() }}
            ) as satisfaction_index,
            cast(attitudes.repurchase_index as {{ type_double() }}) as repurchase_index,
            cast(attitudes.recommend_index as {{ type_double() }}) as recommend_index,
            cast(attitudes.trust_index as {{ type_double() }}) as trust_index,
            cast(attitudes.response_index as {{ type_double() }}) as response_index,
            cast(attitudes.identity_index as {{ type_double() }}) as identity_index,
            loyalty.behaviour_index,
            cast(loyalty.behaviour_index_count as bigint) as behaviour_index_count,
            loyalty.is_repeat_buyer,
            loyalty.is_recommender,
            loyalty.is_loyal_against_rivals,
            loyalty.is_forgiving,
            cast(loyalty.signs_count as bigint) as signs_count,
            cast(loyalty.signs_known_count as bigint) as signs_known_count,
            attitudes.considered_count,
            coalesce(
                attitudes.considered_count = 1, wallets.is_sole_buyer
            ) as is_only_brand,
            loyalty.is_repeat_buyer
            or coalesce(loyalty.is_recommender, false) as is_expressed,
            cast(attitudes.preference_index as {{ type_double() }}) as preference_index,
            loyalty.is_emotional_buyer,
            loyalty.is_habitual_buyer,
            loyalty.loyalty_kind,
            attitudes.switching_cost_index,
            attitudes.switching_cost_item_count as switching_cost_index_count,
            cast(profiles.running_contract_count as bigint) as running_contract_count,
            profiles.currency_code,
            cast(profiles.exit_fee_amount as {{ type_amount() }}) as exit_fee_amount,
            loyalty.is_key_account,
            loyalty.has_key_account_risk,
            cast(
                loyalty.wallet_share_change as {{ type_double() }}
            ) as wallet_share_change,
            cast(wallets.share_of_wallet as {{ type_double() }}) as share_of_wallet,
            wallets.wallet_method,
            cast(
                attitudes.price_tolerance_index as {{ type_double() }}
            ) as price_tolerance_index,
            promotions.promotion_order_rate,
            promotions.promotion_week_count,
            promotions.other_order_rate,
            promotions.other_week_count,
            {{ div("promotions.promotion_order_rate", "promotions.other_order_rate") }}
            as price_tolerance_ratio,
            contacts.recent_contact_count as contact_count,
            cast(contacts.days_since_contact as bigint) as days_since_contact,
            contacts.is_over_contact_cap,
            contacts.has_recent_care,
            contacts.observed_care_day_count,
            {{ when_delivered("customer_orders", "contacts.answered_care_day_count") }}
            as answered_care_day_count,
            profiles.is_member,
            profiles.is_active_member,
            profiles.enrolled_date,
            profiles.programme_tier,
            cast(profiles.points_balance as decimal(28, 4)) as points_balance,
            profiles.top_category,
            profiles.usual_weekday,
            profiles.usual_channel,
            profiles.median_order_gap_days,
            profiles.completeness_rate,
            cast(profiles.field_count as bigint) as profile_field_count,
            actions.action as next_action,
            actions.reason as next_action_reason
        from customers
        inner join loyalty using (customer_key)
        left join attitudes using (customer_key)
        left join wallets using (customer_key)
        left join promotions using (customer_key)
        left join contacts using (customer_key)
        left join profiles using (customer_key)
        left join actions using (customer_key)
    )

select *
from final
