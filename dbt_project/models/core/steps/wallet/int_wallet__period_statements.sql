{# The latest statement of each customer in a category and calendar quarter or year. #}
with
    responses as (
        select responses.*
        from {{ ref("fct_survey_responses") }} as responses
        -- a wallet needs a customer whose spend here is known
        inner join
            {{ ref("dim_customers") }} as customers
            on responses.customer_key = customers.customer_key
            and customers.base = 'customer'
        where not responses.is_duplicate and responses.respondent_type = 'customer'
    ),

    answered as (
        select
            response_key,
            coalesce(category, 'all') as category,
            max(score) as stated_amount,
            max(period_days) as period_days
        from {{ ref("fct_survey_answers") }}
        where role = 'category_spend' and score > 0
        group by response_key, coalesce(category, 'all')
    ),

    rated as (
        select
            response_key,
            category,
            max(brands_used_count) as brands_used_count,
            sum(stated_amount) as stated_amount,
            max(period_days) as period_days,
            -- our brands count as one; a customer of other brands only gives us 0
            min(case when is_us and is_used then average_rank end) as our_rank,
            -- it may be unknown which brands are ours
            {{
                when_delivered(
                    "own_brands",
                    "coalesce(sum(case when is_us and is_used then wallet_share end), 0)",
                )
            }}
            as our_share,
            count(
                case when is_used and wallet_share is null then 1 end
            ) as unranked_count,
            {{
                when_delivered(
                    "own_brands", "count(case when is_us and is_used then 1 end)"
                )
            }} as our_brand_count,
            sum(case when is_us then stated_share end) as stated_share
        from {{ ref("fct_brand_ratings") }}
        group by response_key, category
        having max(brands_used_count) > 0
    ),

    topics as (
        select response_key, category
        from answered
        union
        select response_key, category
        from rated
    ),

    stated as (
        select
            responses.response_key,
            responses.source,
            responses.customer_key,
            responses.survey_id,
            responses.wave,
            responses.submitted_date,
            topics.category,
            coalesce(answered.stated_amount, rated.stated_amount) as stated_amount,
            coalesce(answered.period_days, rated.period_days) as period_days,
            rated.stated_share,
            rated.brands_used_count,
            rated.our_rank,
            case when rated.unranked_count = 0 then rated.our_share end as sow_war,
            rated.our_brand_count = rated.brands_used_count as is_sole_buyer
        from topics
        inner join responses on topics.response_key = responses.response_key
        left join
            answered
            on topics.response_key = answered.response_key
            and topics.category = answered.category
        left join
            rated
            on topics.response_key = rated.response_key
            and topics.category = rated.category
    ),

    spent as (
        select stated.response_key, stated.category, sum(days.own_amount) as own_amount
        from stated
        inner join
            {{ ref("int_wallet__daily_spend") }} as days
            on stated.customer_key = days.customer_key
            and stated.category = days.category
            and days.order_date <= stated.submitted_date
            and days.order_date
            > {{ add_days("stated.submitted_date", "-stated.period_days") }}
        group by stated.response_key, stated.category
    ),

    -- What respondents say of their wallet, one row per first answer and category,
    -- with what they spent here in the same days.
    statements as (
        select
            stated.*,
            case
                when stated.period_days is not null
                then {{ own_spend("spent.own_amount", "category") }}
            end as own_amount_stated_days
        from stated
        left join spent using (response_key, category)
    ),

    placed as ({{ by_period("statements", "submitted_date") }}),

    ranked as (
        select
            *,
            row_number() over (
                partition by
                    source, customer_key, category, period_grain, period_start_date
                order by submitted_date desc, md5(response_key)
            ) as recency
        from placed
    ),

    latest as (
        select
            *,
            {{ rounded(div("own_amount_stated_days", "stated_amount"), 8) }}
            as sow_stated_raw
        from ranked
        where recency = 1
    ),

    spends as (select * from {{ ref("fct_wallet_spend") }} where own_amount > 0),

    chosen as (
        select
            latest.*,
            case
                -- the stated days have no purchase of ours, but the period has:
                -- the statement is about other days
                when latest.sow_stated_raw = 0 and spends.own_amount is not null
                then case when latest.sow_war > 0 then 'allocation rule' end
                -- more spent here than in all shops together: the statement is wrong,
                -- the ranking may hold
                when latest.sow_stated_raw <= 1
                then 'stated'
                when latest.sow_war > 0
                then 'allocation rule'
            end as statement_method
        from latest
        left join
            spends using (
                source, customer_key, category, period_grain, period_start_date
            )
    ),

    final as (
        select
            *,
            case
                statement_method
                when 'stated'
                then sow_stated_raw
                when 'allocation rule'
                then sow_war
            end as statement_share
        from chosen
    )

select *
from final
