{#
  Counts by the score that the referrer had given last before, and active customers by theirs: on the last day of the
  month.
#}
{%- set measures = [
    "active_customer_count",
    "invited_count",
    "converted_count",
    "accepted_count",
    "reward_amount",
] -%}
with
    referrals as (select * from {{ ref("fct_referrals") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    customer_months as (
        select * from {{ ref("fct_customer_months") }} where order_count > 0
    ),

    results as (
        select *
        from {{ ref("fct_survey_results") }}
        where
            not is_duplicate
            and respondent_type = 'customer'
            and overall_score is not null
            and customer_key is not null
    ),

    daily as (
        select
            customer_key,
            submitted_date,
            overall_score,
            overall_scale_max,
            row_number() over (
                partition by customer_key, submitted_date
                order by submitted_at desc, md5(response_key)
            ) as recency
        from results
    ),

    -- first and last day on which a score was the customer's last one
    scores as (
        select
            customer_key,
            overall_score,
            overall_scale_max,
            submitted_date as from_date,
            coalesce(
                lead(submitted_date) over (
                    partition by customer_key order by submitted_date
                ),
                cast('9999-12-31' as date)
            ) as until_date
        from daily
        where recency = 1
    ),

    known as (select count(*) > 0 as is_known from referrals),

    events as (
        select
            source,
            referrer_customer_key as customer_key,
            coalesce(invited_date, accepted_date) as score_date,
            {{ month_start("coalesce(invited_date, accepted_date)") }} as month,
            0 as active_customer_count,
            1 as invited_count,
            case when accepted_date <= as_of.as_of then 1 else 0 end as converted_count,
            0 as accepted_count,
            cast(0 as {{ type_amount() }}) as reward_amount
        from referrals
        cross join as_of
        union all
        select
            source,
            referrer_customer_key,
            coalesce(invited_date, accepted_date),
            {{ month_start("accepted_date") }},
            0,
            0,
            0,
            1,
            coalesce(reward_amount, 0)
        from referrals
        where accepted_date is not null
        union all
        select
            customers.source,
            customers.customer_key,
            months.last_date,
            months.month,
            1,
            0,
            0,
            0,
            0
        from customer_months
        inner join months on customer_months.month = months.month
        inner join customers on customer_months.base_key = customers.customer_key
    ),

    final as (
        select
            events.source,
            events.month,
            months.is_partial as is_partial_month,
            scores.overall_score as score,
            scores.overall_scale_max as scale_max,
            {% for name in measures %}
                sum(events.{{ name }}) as {{ name }} {%- if not loop.last %},{% endif %}
            {% endfor %}
        from events
        inner join months on events.month = months.month
        inner join known on known.is_known
        left join
            scores
            on events.customer_key = scores.customer_key
            and events.score_date > scores.from_date
            and events.score_date <= scores.until_date
        group by
            events.source,
            events.month,
            months.is_partial,
            scores.overall_score,
            scores.overall_scale_max
    )

select *
from final
