{%- set signs = [
    "is_repeat_buyer",
    "is_recommender",
    "is_loyal_against_rivals",
    "is_forgiving",
] -%}
with
    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    retention as (select * from {{ ref("fct_customer_retention") }}),

    attitudes as (select * from {{ ref("fct_customer_attitudes") }}),

    wallets as (select * from {{ ref("fct_stated_wallets") }}),

    promotions as (select * from {{ ref("fct_customer_rival_promotions") }}),

    as_of as (
        select
            as_of,
            {{ window_start("as_of", var("loyalty_window_months")) }} as after_date
        from {{ ref("dim_as_of") }}
    ),

    buying as (
        select
            days.base_key as customer_key,
            count(case when days.order_count > 0 then 1 end) as order_day_count
        from {{ ref("fct_customer_order_days") }} as days
        inner join
            as_of
            on days.calendar_date > as_of.after_date
            and days.calendar_date <= as_of.as_of
        group by days.base_key
    ),

    referrals as (
        select distinct referrals.referrer_customer_key as customer_key
        from {{ ref("fct_referrals") }} as referrals
        inner join
            as_of
            on coalesce(referrals.invited_date, referrals.accepted_date)
            > as_of.after_date
            and coalesce(referrals.invited_date, referrals.accepted_date) <= as_of.as_of
    ),

    -- whether customers with a later complaint buy again is not known yet
    complaints as (
        select
            outcomes.customer_key,
            outcomes.has_bought_again,
            row_number() over (
                partition by outcomes.customer_key
                order by outcomes.opened_date desc, md5(outcomes.ticket_key)
            ) as recency
        from {{ ref("fct_ticket_outcomes") }} as outcomes
        inner join as_of on outcomes.opened_date > as_of.after_date
        where outcomes.is_complaint and outcomes.is_outcome_observed
    ),

    observed as (
        select
            customers.customer_key,
            coalesce(buying.order_day_count, 0) as order_day_count,
            retention.is_heavy_buyer,
            -- orders are always seen, so this sign is always known
            coalesce(
                buying.order_day_count >= 2 or retention.is_heavy_buyer, false
            ) as is_repeat_buyer,
            referrals.customer_key is not null as has_referred,
            -- without a referral or an answer it is unknown
            case
                when referrals.customer_key is not null or attitudes.is_promoter
                then true
                when attitudes.is_promoter is not null
                then false
            end as is_recommender,
            case
                when
                    wallets.is_sole_buyer
                    or wallets.share_of_wallet >= {{ var("loyal_share_of_wallet") }}
                    or promotions.promotion_order_week_count > 0
                then true
                when
                    wallets.customer_key is not null
                    or promotions.customer_key is not null
                then false
            end as is_loyal_against_rivals,
            -- known only of those who complained long enough ago
            complaints.has_bought_again as is_forgiving
        from customers
        left join buying on customers.customer_key = buying.customer_key
        left join retention on customers.customer_key = retention.customer_key
        left join attitudes on customers.customer_key = attitudes.customer_key
        left join referrals on customers.customer_key = referrals.customer_key
        left join wallets on customers.customer_key = wallets.customer_key
        left join promotions on customers.customer_key = promotions.customer_key
        left join
            complaints
            on customers.customer_key = complaints.customer_key
            and complaints.recency = 1
    ),

    final as (
        select
            *,
            {% for sign in signs %}
                case when {{ sign }} is not null then 1 else 0 end
                {%- if not loop.last %} + {% endif %}
            {% endfor %} as signs_known_count,
            {% for sign in signs %}
                case when {{ sign }} then 1 else 0 end
                {%- if not loop.last %} + {% endif %}
            {% endfor %} as signs_count
        from observed
    )

select *
from final
