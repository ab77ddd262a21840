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
    scores as (select * from {{ ref("int_loyalty__latest_scores") }}),

    considered as (select * from {{ ref("int_loyalty__consideration_sets") }}),

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
        group by customer_key
    ),

    weighed as (
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
            {% endfor %} as loyalty_index_n
        from asked
    ),

    final as (
        select
            weighed.customer_key,
            weighed.asked_date,
            {% for name in indices %} weighed.{{ name }}_index, {% endfor %}
            weighed.is_promoter,
            coalesce(
                cast(weighed.considered_count as bigint), considered.considered_count
            ) as considered_count,
            weighed.switching_cost_item_count,
            {{ div("weighed.switching_cost_sum", "weighed.switching_cost_item_count") }}
            as switching_cost_index,
            {{ rounded(div("weighed.weighted_sum", "weighed.weight_sum"), 8) }}
            as loyalty_index,
            weighed.loyalty_index_n
        from weighed
        left join considered on weighed.customer_key = considered.customer_key
    )

select *
from final
