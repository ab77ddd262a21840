{%- set weights = var("index_weights") -%}
{%- set items = {
    "overall": weights["overall_satisfaction"],
    "disconfirmation": weights["disconfirmation"],
    "ideal": weights["ideal"],
} -%}
with
    responses as (select * from {{ ref("fct_survey_responses") }}),

    scores as (select * from {{ ref("int_survey__role_scores") }}),

    classes as (select * from {{ ref("int_survey__score_classes") }}),

    asked as (
        select
            source,
            survey_id,
            sum(
                case
                    role
                    when 'overall_satisfaction'
                    then {{ items["overall"] }}
                    when 'disconfirmation'
                    then {{ items["disconfirmation"] }}
                    when 'ideal'
                    then {{ items["ideal"] }}
                end
            ) as weight_sum
        from
            (
                select distinct source, survey_id, role
                from {{ ref("dim_survey_questions") }}
            ) as roles
        group by source, survey_id
    ),

    weighed as (
        select
            scores.*,
            {%- for name, weight in items.items() %}
                {% if not loop.first %}
                    + {% endif %} coalesce({{ weight }} * scores.{{ name }}_index, 0)
            {%- endfor %} as weighted_index_sum,
            {%- for name, weight in items.items() %}
                {% if not loop.first %} + {% endif %}
                case
                    when scores.{{ name }}_index is not null then {{ weight }} else 0
                end
            {%- endfor %} as answered_weight_sum,
            -- expected and perceived can be compared on one scale only
            coalesce(
                scores.expectation_scale_min = scores.perceived_scale_min
                and scores.expectation_scale_max = scores.perceived_scale_max,
                false
            ) as is_one_scale,
            case
                when scores.repurchase_scale_min = 0
                then
                    cast(
                        {{
                            div(
                                "scores.repurchase_score",
                                "scores.repurchase_scale_max",
                            )
                        }} as decimal(18, 6)
                    )
            end as repurchase_probability
        from scores
    ),

    final as (
        select
            responses.response_key,
            responses.source,
            responses.survey_id,
            responses.wave,
            responses.customer_key,
            responses.respondent_type,
            responses.submitted_at,
            responses.submitted_date,
            responses.is_duplicate,
            weighed.overall_score,
            weighed.overall_scale_max,
            weighed.overall_index,
            weighed.disconfirmation_index,
            weighed.ideal_index,
            classes.loyalty_class,
            classes.satisfaction_class,
            weighed.overall_score = weighed.overall_scale_max as is_top_box,
            weighed.overall_score >= weighed.overall_scale_max - 1 as is_top_two,
            weighed.expectation_score,
            weighed.perceived_score,
            case
                when weighed.is_one_scale
                then
                    cast(
                        {{
                            div(
                                "weighed.perceived_score", "weighed.expectation_score"
                            )
                        }} as decimal(18, 8)
                    )
            end as c_ratio,
            case
                when not weighed.is_one_scale or weighed.expectation_score = 0
                then null
                when
                    abs(weighed.perceived_score - weighed.expectation_score)
                    <= {{ var("c_tolerance") }} * weighed.expectation_score
                then 'satisfied'
                when weighed.perceived_score < weighed.expectation_score
                then 'dissatisfied'
                when weighed.perceived_score > weighed.expectation_score
                then 'delighted'
            end as c_state,
            case
                when weighed.is_one_scale
                then weighed.perceived_score - weighed.expectation_score
            end as d_gap,
            weighed.quality_score,
            weighed.service_score,
            weighed.price_score,
            weighed.delivery_score,
            weighed.care_score,
            -- an index without all its items would be on another base than its wave's
            case
                when weighed.answered_weight_sum = asked.weight_sum
                then
                    cast(
                        {{
                            div(
                                "weighed.weighted_index_sum",
                                "weighed.answered_weight_sum",
                            )
                        }} as decimal(18, 8)
                    )
            end as satisfaction_index,
            weighed.recommend_score,
            case
                when
                    weighed.recommend_scale_min != 0
                    or weighed.recommend_scale_max != 10
                then null
                when weighed.recommend_score >= 9
                then 'promoter'
                when weighed.recommend_score >= 7
                then 'passive'
                when weighed.recommend_score >= 0
                then 'detractor'
            end as nps_class,
            case
                when weighed.recommend_scale_max - weighed.recommend_scale_min != 2
                then null
                when weighed.recommend_score = weighed.recommend_scale_max
                then 'very likely'
                when weighed.recommend_score = weighed.recommend_scale_min
                then 'unlikely'
                when weighed.recommend_score is not null
                then 'likely'
            end as recommend_level,
            weighed.repurchase_probability,
            case
                when weighed.repurchase_probability > 0.70
                then 'high'
                when weighed.repurchase_probability >= 0.30
                then 'medium'
                when weighed.repurchase_probability < 0.30
                then 'low'
            end as repurchase_band
        from responses
        left join weighed on responses.response_key = weighed.response_key
        left join
            asked
            on responses.source = asked.source
            and responses.survey_id = asked.survey_id
        left join
            classes
            on responses.source = classes.source
            and responses.survey_id = classes.survey_id
            and weighed.overall_score = classes.score
    )

select *
from final
