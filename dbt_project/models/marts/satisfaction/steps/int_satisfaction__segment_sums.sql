{%- set counted = {
    "satisfaction_class": {
        "satisfied": "satisfied",
        "dissatisfied": "dissatisfied",
    },
    "loyalty_class": {
        "loyal": "loyal",
        "at_risk": "at_risk",
        "hostile": "hostile",
    },
    "nps_class": {
        "promoter": "promoter",
        "passive": "passive",
        "detractor": "detractor",
    },
    "recommend_level": {
        "very likely": "very_likely",
        "unlikely": "unlikely",
    },
    "repurchase_band": {"high": "repurchase_high"},
    "c_state": {
        "dissatisfied": "c_below",
        "satisfied": "c_equal",
        "delighted": "c_above",
    },
} -%}
{%- set weighted = {
    "top_box": "is_top_box",
    "top_two": "is_top_two",
    "index": "rounded_index is not null",
    "nps": "nps_class is not null",
    "promoter": "nps_class= 'promoter'",
    "detractor": "nps_class= 'detractor'",
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

    final as (
        select
            source,
            survey_id,
            wave,
            respondent_type,
            segment_by,
            segment,
            count(*) as response_count,

            -- the overall score and its classes
            count(overall_score) as scored_count,
            sum(overall_score) as overall_sum,
            count(case when is_top_box then 1 end) as top_box_count,
            count(case when is_top_two then 1 end) as top_two_count,
            count(loyalty_class) as classed_count,
            count(nps_class) as nps_count,
            count(recommend_level) as recommend_level_count,
            count(repurchase_band) as repurchase_count,
            {% for column, classes in counted.items() %}
                {% for value, name in classes.items() %}
                    count(
                        case when {{ column }} = '{{ value }}' then 1 end
                    ) as {{ name }}_count,
                {% endfor %}
            {% endfor %}

            -- the index by item, and by respondent for its variance
            {% for item in ["overall", "disconfirmation", "ideal"] %}
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
            count(
                case when is_careful and is_top_box then 1 end
            ) as careful_top_box_count,
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
        group by source, survey_id, wave, respondent_type, segment_by, segment
    )

select *
from final
