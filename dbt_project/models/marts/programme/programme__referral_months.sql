with
    referrals as (select * from {{ ref("int_programme__referral_months") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    together as (
        select
            source,
            month,
            is_partial_month,
            'score' as referrer_by,
            -- a 4 of 5 and a 4 of 10 are two scores
            coalesce(
                cast(cast(score as decimal(18, 0)) as {{ dbt.type_string() }})
                || ' of '
                || cast(cast(scale_max as decimal(18, 0)) as {{ dbt.type_string() }}),
                'unknown'
            ) as referrer,
            active_customer_count,
            invited_count,
            converted_count,
            accepted_count,
            reward_amount
        from referrals
        union all
        select
            source,
            month,
            is_partial_month,
            'all',
            'all',
            active_customer_count,
            invited_count,
            converted_count,
            accepted_count,
            reward_amount
        from referrals
    ),

    summed as (
        select
            source,
            month,
            is_partial_month,
            referrer_by,
            referrer,
            {{
                when_delivered(
                    "customer_orders", "cast(sum(active_customer_count) as bigint)"
                )
            }} as active_customer_count,
            -- without invitations only those are known who accepted
            {% for name, what in [
                ("invited", "invitations"),
                ("converted", ["invitations", "referral_acceptances"]),
                ("accepted", "referral_acceptances"),
            ] %}
                {{ when_delivered(what, "cast(sum(" ~ name ~ "_count) as bigint)") }}
                as {{ name }}_count,
            {% endfor %}
            {{
                when_delivered(
                    ["referral_acceptances", "referral_rewards"],
                    "cast(sum(reward_amount) as " ~ type_amount() ~ ")",
                )
            }} as reward_amount
        from together
        group by source, month, is_partial_month, referrer_by, referrer
    ),

    final as (
        select
            {{ made_key(["source", "month", "referrer_by", "referrer"]) }}
            as referral_month_key,
            summed.*,
            as_of.reporting_currency_code as currency_code,
            coalesce(active_customer_count, 0) < {{ var("min_base") }} as is_suppressed,
            {% for part, base, name in [
                ("converted_count", "invited_count", "conversion_rate"),
                ("accepted_count", "active_customer_count", "referral_rate"),
                (
                    "invited_count",
                    "active_customer_count",
                    "invites_per_customer",
                ),
                ("converted_count", "active_customer_count", "k_factor"),
            ] %}
                {{ month_rate(part, base, base, "is_partial_month") }} as {{ name }},
            {% endfor %}
            {{ div("reward_amount", "accepted_count") }} as reward_per_referred_amount
        from summed
        cross join as_of
    )

select *
from final
