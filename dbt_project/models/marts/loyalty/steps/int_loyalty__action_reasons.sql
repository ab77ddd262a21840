{# What to do for a customer, why, and what is at stake. #}
{%- set text = dbt.type_string() -%}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    customer_values as (
        select *
        from {{ ref("fct_customer_value_windows") }}
        where window_number = 0 and order_count > 0
    ),

    wallet_gaps as (select * from {{ ref("int_loyalty__wallet_gaps") }}),

    loyalty as (select * from {{ ref("int_loyalty__customer_loyalty") }}),

    retention as (select * from {{ ref("fct_customer_retention") }}),

    scores as (select * from {{ ref("dim_customer_scores") }}),

    complaints as (select * from {{ ref("int_loyalty__open_complaints") }}),

    results as (select * from {{ ref("fct_survey_results") }}),

    responses as (select * from {{ ref("fct_survey_responses") }}),

    placed as (
        select
            results.*,
            responses.followed_up_at,
            row_number() over (
                partition by results.customer_key
                order by results.submitted_at desc, md5(results.response_key)
            ) as recency
        from results
        cross join as_of
        inner join responses on results.response_key = responses.response_key
        where
            not results.is_duplicate
            and results.respondent_type = 'customer'
            and results.customer_key is not null
            and (results.nps_class is not null or results.loyalty_class is not null)
            and results.submitted_date
            > {{ add_days("as_of.as_of", -var("detractor_action_days")) }}
            and results.submitted_date <= as_of.as_of
    ),

    -- a newest answer that is low and was not followed up
    answers as (
        select
            customer_key,
            submitted_date,
            case
                when loyalty_class = 'hostile' then 'dissatisfied' else 'a detractor'
            end as answer_class
        from placed
        where
            recency = 1
            and followed_up_at is null
            and (nps_class = 'detractor' or loyalty_class = 'hostile')
    ),

    rhythms as (
        select
            *,
            cast(
                round(cast(median_order_gap_days as decimal(18, 2)), 0) as bigint
            ) as usual_order_gap_days
        from retention
    ),

    -- each action: for which customers it is, and the figures of its sentence
    reasons as (
        select
            'apologise' as action,
            customer_key,
            category as figure_1,
            cast(opened_date as {{ text }}) as figure_2,
            state as figure_3
        from complaints
        union all
        select
            'protect_key_account',
            customer_key,
            case
                when is_wallet_share_falling and is_below_top_score
                then 'the share of wallet falls and the score is below the best'
                when is_wallet_share_falling
                then 'the share of wallet falls'
                else 'the score is below the best'
            end,
            null,
            null
        from loyalty
        where has_key_account_risk
        union all
        select
            'follow_up',
            customer_key,
            answer_class,
            cast(submitted_date as {{ text }}),
            null
        from answers
        union all
        select
            case when rhythms.is_lapsed then 'win_back' else 'call' end,
            rhythms.customer_key,
            case
                when rhythms.is_lapsed
                then cast(rhythms.recency_days as {{ text }})
                when rhythms.fading_sign = 'longer gaps'
                then 'the gaps between them grow'
                else cast(rhythms.recency_days as {{ text }}) || ' days since the last'
            end,
            case
                when rhythms.usual_order_gap_days <= 1
                then 'every day'
                else
                    'every '
                    || cast(rhythms.usual_order_gap_days as {{ text }})
                    || ' days'
            end,
            null
        from rhythms
        left join customer_values on rhythms.customer_key = customer_values.customer_key
        where
            rhythms.median_order_gap_days is not null
            and (rhythms.is_lapsed or rhythms.is_fading)
            -- customers known to cost more than they bring are not called back; of the
            -- lapsed only those who brought something
            and coalesce(customer_values.value_amount > 0, not rhythms.is_lapsed)
        union all
        select
            'upsell',
            wallet_gaps.customer_key,
            cast(cast(round(wallet_gaps.wallet_gap_amount, 0) as bigint) as {{ text }})
            || ' '
            || as_of.reporting_currency_code,
            wallet_gaps.category,
            null
        from wallet_gaps
        cross join as_of
        inner join scores on wallet_gaps.customer_key = scores.customer_key
        inner join retention on wallet_gaps.customer_key = retention.customer_key
        where
            wallet_gaps.is_big_gap
            and scores.satisfaction_class = 'satisfied'
            and retention.is_active
        union all
        select 'thank', customer_key, cast(value_rank as {{ text }}), null, null
        from customer_values
        where value_rank <= {{ var("thank_top_count") }}
    ),

    final as (
        select
            reasons.*,
            case
                when reasons.action = 'upsell'
                then wallet_gaps.wallet_gap_amount
                -- with a customer who costs more than they bring, nothing is lost
                when customer_values.value_amount < 0
                then 0
                else customer_values.value_amount
            end as value_at_stake_amount,
            case
                when reasons.action = 'upsell'
                then as_of.reporting_currency_code
                else customer_values.currency_code
            end as currency_code,
            case
                when
                    reasons.action = 'upsell'
                    and wallet_gaps.wallet_gap_amount is not null
                then 'spend elsewhere per quarter'
                when customer_values.value_amount is null
                then null
                when customer_values.value_basis = 'net_revenue'
                then 'net revenue in the value window'
                else 'contribution margin in the value window'
            end as value_basis
        from reasons
        cross join as_of
        left join customer_values on reasons.customer_key = customer_values.customer_key
        left join wallet_gaps on reasons.customer_key = wallet_gaps.customer_key
    )

select *
from final
