{# What each overall score of a survey says: by its own label map where its words are plain, else by the score bands. #}
with
    questions as (
        select source, survey_id, question_code, scale_min, scale_max
        from {{ ref("dim_survey_questions") }}
        where role = 'overall_satisfaction'
    ),

    scales as (
        select
            source, survey_id, min(scale_min) as scale_min, min(scale_max) as scale_max
        from questions
        group by source, survey_id
        having min(scale_min) = max(scale_min) and min(scale_max) = max(scale_max)
    ),

    labels as (select * from {{ ref("int_survey_answer_labels__current") }}),

    words as (select * from {{ ref("satisfaction_labels") }}),

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

    bands as (select * from {{ ref("score_bands") }}),

    final as (
        select
            scales.source,
            scales.survey_id,
            bands.score,
            bands.class as loyalty_class,
            coalesce(
                said.satisfaction_class, bands.satisfaction_class
            ) as satisfaction_class
        from scales
        inner join bands using (scale_min, scale_max)
        left join
            said
            on scales.source = said.source
            and scales.survey_id = said.survey_id
            and bands.score = said.score
    )

select *
from final
