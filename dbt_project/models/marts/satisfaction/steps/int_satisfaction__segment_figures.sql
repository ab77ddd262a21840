{# Every segment of a wave: exact counts and sums of its answers, and the rates and means of them. Small bases are not suppressed here. #}
{%- set keys = [
    "source",
    "survey_id",
    "wave",
    "respondent_type",
    "segment_by",
    "segment",
] -%}
{%- set counted = {
    "satisfied": ("satisfaction_class", "satisfied"),
    "dissatisfied": ("satisfaction_class", "dissatisfied"),
    "loyal": ("loyalty_class", "loyal"),
    "at_risk": ("loyalty_class", "at_risk"),
    "hostile": ("loyalty_class", "hostile"),
    "promoter": ("nps_class", "promoter"),
    "passive": ("nps_class", "passive"),
    "detractor": ("nps_class", "detractor"),
    "very_likely": ("recommend_level", "very likely"),
    "unlikely": ("recommend_level", "unlikely"),
    "repurchase_high": ("repurchase_band", "high"),
    "c_below": ("c_state", "dissatisfied"),
    "c_equal": ("c_state", "satisfied"),
    "c_above": ("c_state", "delighted"),
} -%}
{%- set weighted = {
    "top_box": "is_top_box",
    "top_two": "is_top_two",
    "index": "rounded_index is not null",
    "nps": "nps_class is not null",
    "promoter": "nps_class= 'promoter'",
    "detractor": "nps_class= 'detractor'",
} -%}
{%- set weights = var("index_weights") -%}
{%- set items = {
    "overall": weights["overall_satisfaction"],
    "disconfirmation": weights["disconfirmation"],
    "ideal": weights["ideal"],
} -%}
with
    memberships as (select * from {{ ref("stat_satisfaction__memberships") }}),

    responses as (select * from {{ ref("fct_survey_responses") }}),

    scores as (select * from {{ ref("dim_customer_scores") }}),

    results as (select * from {{ ref("fct_survey_results") }}),

    weights as (select * from {{ ref("int_satisfaction__weights") }}),

    segments as (
        select response_key, segment_by, segment
        from memberships
        union all
        select
            responses.response_key,
            'stage' as segment_by,
            coalesce(scores.stage, 'unknown') as segment
        from responses
        left join scores on responses.customer_key = scores.customer_key
        where not responses.is_duplicate and responses.respondent_type = 'customer'
    ),

    members as (
        select
            segments.segment_by,
            segments.segment,
            results.*,
            cast(results.satisfaction_index as decimal(9, 4)) as rounded_index,
            weights.weight,
            not responses.is_speeder and not responses.is_straight_liner as is_careful
        from segments
        inner join results on segments.response_key = results.response_key
        inner join responses on segments.response_key = responses.response_key
        left join weights on segments.response_key = weights.response_key
    ),

    sums as (
        select
            {{ keys | join(", ") }},
            count(*) as response_count,

            -- the overall score and its classes
            count(overall_score) as scored_count,
            sum(overall_score) as overall_sum,
            -- an open scale has no best score
            case
                when count(is_top_box) > 0 then {{ count_where("is_top_box") }}
            end as top_box_count,
            case
                when count(is_top_two) > 0 then {{ count_where("is_top_two") }}
            end as top_two_count,
            count(loyalty_class) as classed_count,
            count(nps_class) as nps_count,
            count(recommend_level) as recommend_level_count,
            count(repurchase_band) as repurchase_count,
            {% for name, (column, class) in counted.items() %}
                {{ count_among(column, column ~ " = '" ~ class ~ "'") }}
                as {{ name }}_count,
            {% endfor %}

            -- the index by item, and by respondent for its variance
            {% for item in items %}
                count({{ item }}_index) as {{ item }}_index_count,
                sum({{ item }}_index) as {{ item }}_index_sum,
            {% endfor %}
            count(rounded_index) as index_count,
            sum(rounded_index) as index_sum,
            sum(rounded_index * rounded_index) as index_square_sum,

            -- with survey weights
            {% for name, condition in weighted.items() %}
                sum(case when {{ condition }} then weight end) as {{ name }}_weight_sum,
            {% endfor %}
            sum(case when overall_score is not null then weight end) as weight_sum,
            sum(
                case when overall_score is not null then weight * weight end
            ) as weight_square_sum,
            sum(rounded_index * weight) as weighted_index_sum,

            -- without speeders and straight-liners
            count(case when is_careful then overall_score end) as careful_count,
            case
                when count(is_top_box) > 0
                then {{ count_where("is_careful and is_top_box") }}
            end as careful_top_box_count,
            count(case when is_careful then rounded_index end) as careful_index_count,
            sum(case when is_careful then rounded_index end) as careful_index_sum,

            -- perceived against expected
            count(c_ratio) as c_count,
            sum(c_ratio) as c_ratio_sum,
            sum(
                case when c_ratio is not null then perceived_score end
            ) as perceived_sum,
            sum(
                case when c_ratio is not null then expectation_score end
            ) as expected_sum,
            count(d_gap) as d_count,
            sum(d_gap) as d_gap_sum
        from members
        group by {{ keys | join(", ") }}
    ),

    final as (
        select
            *,
            {{ made_key(keys) }} as segment_month_key,
            scored_count < {{ var("min_base") }} as is_suppressed,
            nps_count < {{ var("min_base_nps") }} as is_nps_suppressed,
            c_count < {{ var("min_base") }} as is_c_suppressed,
            {{ div("weight_sum * weight_sum", "weight_square_sum") }}
            as effective_count,
            -- the mean of each item on its own base: 100 * sum w (mean - min) / ((max
            -- - min) * sum w)
            (
                {%- for name, weight in items.items() %}
                    {% if not loop.first %}+ {% endif %}
                    coalesce(
                        {{ weight }}
                        * {{ div(name ~ "_index_sum", name ~ "_index_count") }},
                        0
                    )
                {%- endfor %}
            ) / nullif(
                {%- for name, weight in items.items() %}
                    {% if not loop.first %}+ {% endif %}
                    case when {{ name }}_index_count > 0 then {{ weight }} else 0 end
                {%- endfor %},
                0
            ) as satisfaction_index,
            {{ variance_of_sums("index_count", "index_sum", "index_square_sum") }}
            as index_variance,
            {{ div("weighted_index_sum", "index_weight_sum") }}
            as satisfaction_index_weighted,
            {{ div("careful_index_sum", "careful_index_count") }}
            as satisfaction_index_careful,
            {{ div("overall_sum", "scored_count") }} as overall_mean,
            {{ div("top_box_count", "scored_count") }} as top_box_rate,
            {{ div("top_two_count", "scored_count") }} as top_two_rate,
            {% for name in ["top_box", "top_two"] %}
                case
                    when {{ name }}_count is not null
                    then {{ div("coalesce(" ~ name ~ "_weight_sum, 0)", "weight_sum") }}
                end as {{ name }}_rate_weighted,
            {% endfor %}
            {{ div("careful_top_box_count", "careful_count") }} as top_box_rate_careful,
            {{ div("satisfied_count", "classed_count") }} as satisfied_rate,
            {{ div("dissatisfied_count", "classed_count") }} as dissatisfied_rate,
            {{ div("loyal_count", "classed_count") }} as loyal_rate,
            {{ div("at_risk_count", "classed_count") }} as at_risk_rate,
            {{ div("hostile_count", "classed_count") }} as hostile_rate,
            100 * {{ div("promoter_count - detractor_count", "nps_count") }} as nps,
            100
            *
            {{
                div(
                    "coalesce(promoter_weight_sum, 0) - coalesce(detractor_weight_sum, 0)",
                    "nps_weight_sum",
                )
            }}
            as nps_weighted,
            -- the variance of a mean of +1, 0 and -1: (p + d - (p - d)^2) / n
            10000 * (
                {{ div("promoter_count + detractor_count", "nps_count") }}
                - {{ div("promoter_count - detractor_count", "nps_count") }}
                * {{ div("promoter_count - detractor_count", "nps_count") }}
            )
            / nullif(nps_count, 0) as nps_variance,
            {{ div("very_likely_count - unlikely_count", "recommend_level_count") }}
            as recommend_net_rate,
            {{ div("repurchase_high_count", "repurchase_count") }}
            as repurchase_high_rate,
            {{ div("c_ratio_sum", "c_count") }} as c_mean_of_ratios,
            {{ div("perceived_sum", "expected_sum") }} as c_ratio_of_means,
            {{ div("d_gap_sum", "d_count") }} as d_gap_mean
        from sums
    )

select *
from final
