{%- set weights = var("loyalty_index_weights") -%}
{%- set indices = {
    "satisfaction": "overall_satisfaction",
    "repurchase": "repurchase_intent",
    "recommend": "recommend",
    "trust": "trust",
    "response": "perceived_response",
    "identity": "identity",
    "preference": "preference",
    "price_tolerance": "price_tolerance",
} -%}
with
    as_of as (
        select
            as_of,
            {{ window_start("as_of", var("loyalty_window_months")) }} as after_date
        from {{ ref("dim_as_of") }}
    ),

    -- the latest answer of a customer in each role of a question
    scores as (
        select
            responses.customer_key,
            responses.submitted_date,
            scores.role,
            scores.score,
            scores.score_index,
            scores.scale_min,
            scores.scale_max,
            row_number() over (
                partition by responses.customer_key, scores.role
                order by responses.submitted_at desc, md5(scores.score_key)
            ) as recency
        from {{ ref("fct_survey_responses") }} as responses
        inner join
            as_of
            on responses.submitted_date > as_of.after_date
            and responses.submitted_date <= as_of.as_of
        inner join
            {{ ref("fct_survey_scores") }} as scores
            on responses.response_key = scores.response_key
        where
            not responses.is_duplicate
            and responses.respondent_type = 'customer'
            and responses.customer_key is not null
    ),

    -- how many brands a customer would consider in a category
    brands as (
        select
            ratings.customer_key,
            ratings.response_key,
            ratings.category,
            ratings.submitted_date,
            count(case when ratings.is_considered then 1 end) as considered_count
        from {{ ref("fct_brand_ratings") }} as ratings
        inner join
            as_of
            on ratings.submitted_date > as_of.after_date
            and ratings.submitted_date <= as_of.as_of
        where
            not ratings.is_duplicate
            and ratings.customer_key is not null
            and ratings.is_considered is not null
        group by
            ratings.customer_key,
            ratings.response_key,
            ratings.category,
            ratings.submitted_date
    ),

    -- the latest answer counts; of several categories the widest choice counts
    considered as (
        select
            customer_key,
            considered_count,
            row_number() over (
                partition by customer_key
                order by
                    submitted_date desc,
                    considered_count desc,
                    md5(response_key || category)
            ) as recency
        from brands
    ),

    asked as (
        select
            customer_key,
            max(submitted_date) as asked_date,
            {% for name, role in indices.items() %}
                max(
                    case when role = '{{ role }}' then score_index end
                ) as {{ name }}_index,
            {% endfor %}
            -- 9 or 10 of 0..10, or the best of three words
            max(
                case
                    when role <> 'recommend'
                    then null
                    when scale_min = 0 and scale_max = 10
                    then case when score >= 9 then 1 else 0 end
                    when scale_max - scale_min = 2
                    then case when score = scale_max then 1 else 0 end
                end
            )
            = 1 as is_promoter,
            max(case when role = 'considered_count' then score end) as considered_count,
            count(
                case when role like 'switching_cost:%' then score_index end
            ) as switching_cost_item_count,
            sum(
                case when role like 'switching_cost:%' then score_index end
            ) as switching_cost_sum
        from scores
        where recency = 1
        group by customer_key
    ),

    weighted as (
        select
            asked.*,
            {% for name, weight in weights.items() %}
                coalesce({{ weight }} * asked.{{ name }}_index, 0)
                {%- if not loop.last %} + {% endif %}
            {% endfor %} as weighted_sum,
            {% for name, weight in weights.items() %}
                case
                    when asked.{{ name }}_index is not null then {{ weight }} else 0
                end
                {%- if not loop.last %} + {% endif %}
            {% endfor %} as weight_sum,
            {% for name in weights %}
                case when asked.{{ name }}_index is not null then 1 else 0 end
                {%- if not loop.last %} + {% endif %}
            {% endfor %} as loyalty_index_count
        from asked
    ),

    final as (
        select
            weighted.customer_key,
            weighted.asked_date,
            {% for name in indices %} weighted.{{ name }}_index, {% endfor %}
            weighted.is_promoter,
            coalesce(
                cast(weighted.considered_count as bigint), considered.considered_count
            ) as considered_count,
            weighted.switching_cost_item_count,
            {{
                div(
                    "weighted.switching_cost_sum",
                    "weighted.switching_cost_item_count",
                )
            }} as switching_cost_index,
            {{ rounded(div("weighted.weighted_sum", "weighted.weight_sum"), 8) }}
            as loyalty_index,
            weighted.loyalty_index_count
        from weighted
        left join
            considered
            on weighted.customer_key = considered.customer_key
            and considered.recency = 1
    )

select *
from final
