{# What a questionnaire says: scores, classes and indices. What its customer did afterwards is in fct_survey_outcomes. #}
with
    responses as (select * from {{ ref("fct_survey_responses") }}),

    scores as (select * from {{ ref("int_satisfaction__indexed_scores") }}),

    labels as (select * from {{ ref("stg_survey_answer_labels__labels") }}),

    words as (select * from {{ ref("satisfaction_labels") }}),

    bands as (select * from {{ ref("score_bands") }}),

    questions as (
        select source, survey_id, question_code
        from {{ ref("dim_survey_questions") }}
        where role = 'overall_satisfaction'
    ),

    -- the class that the survey's own labels give a score
    said as (
        select
            questions.source,
            questions.survey_id,
            labels.score,
            min(words.satisfaction_class) as satisfaction_class
        from questions
        inner join labels using (source, survey_id, question_code)
        inner join words on lower(trim(labels.label)) = words.label
        group by questions.source, questions.survey_id, labels.score
        -- words that contradict each other decide nothing
        having min(words.satisfaction_class) = max(words.satisfaction_class)
    ),

    -- what an overall score says: the survey's own labels decide where their words
    -- are plain, else its fifth of the scale
    classed as (
        select
            scores.response_key,
            bands.class as loyalty_class,
            coalesce(
                said.satisfaction_class, bands.satisfaction_class
            ) as satisfaction_class
        from scores
        inner join responses on scores.response_key = responses.response_key
        left join
            bands
            on bands.fifth
            = {{
                fifth_of_scale(
                    "scores.overall_score",
                    "scores.overall_scale_min",
                    "scores.overall_scale_max",
                )
            }}
        left join
            said
            on responses.source = said.source
            and responses.survey_id = said.survey_id
            and scores.overall_score = said.score
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
            scores.overall_score,
            scores.overall_scale_max,
            scores.overall_index,
            scores.disconfirmation_index,
            scores.ideal_index,
            classed.loyalty_class,
            classed.satisfaction_class,
            scores.overall_score = scores.overall_scale_max as is_top_box,
            scores.overall_score >= scores.overall_scale_max - 1 as is_top_two,
            scores.expectation_score,
            scores.perceived_score,
            case
                when scores.is_one_scale
                then
                    {{
                        rounded(
                            div(
                                "scores.perceived_score",
                                "scores.expectation_score",
                            ),
                            8,
                        )
                    }}
            end as c_ratio,
            case
                when not scores.is_one_scale or scores.expectation_score <= 0
                then null
                when
                    abs(scores.perceived_score - scores.expectation_score)
                    <= {{ var("c_tolerance") }} * scores.expectation_score
                then 'satisfied'
                when scores.perceived_score < scores.expectation_score
                then 'dissatisfied'
                when scores.perceived_score > scores.expectation_score
                then 'delighted'
            end as c_state,
            case
                when scores.is_one_scale
                then scores.perceived_score - scores.expectation_score
            end as d_gap,
            scores.quality_score,
            scores.service_score,
            scores.price_score,
            scores.delivery_score,
            scores.care_score,
            scores.satisfaction_index,
            scores.recommend_score,
            case
                when scores.recommend_scale_min != 0 or scores.recommend_scale_max != 10
                then null
                when scores.recommend_score >= 9
                then 'promoter'
                when scores.recommend_score >= 7
                then 'passive'
                when scores.recommend_score >= 0
                then 'detractor'
            end as nps_class,
            case
                when scores.recommend_scale_max - scores.recommend_scale_min != 2
                then null
                when scores.recommend_score = scores.recommend_scale_max
                then 'very likely'
                when scores.recommend_score = scores.recommend_scale_min
                then 'unlikely'
                when scores.recommend_score is not null
                then 'likely'
            end as recommend_level,
            scores.repurchase_probability,
            case
                when scores.repurchase_probability > 0.70
                then 'high'
                when scores.repurchase_probability >= 0.30
                then 'medium'
                when scores.repurchase_probability < 0.30
                then 'low'
            end as repurchase_band
        from responses
        left join scores on responses.response_key = scores.response_key
        left join classed on responses.response_key = classed.response_key
    )

select *
from final
