{# The questions whose answers are set against each other: closed scales with a construct, asked of enough people. #}
with
    questions as (
        select * from {{ ref("dim_survey_questions") }} where scale_max > scale_min
    ),

    people as (select * from {{ ref("stat_satisfaction__people") }}),

    asked as (
        select source, survey_id, count(*) as person_count
        from people
        group by source, survey_id
    ),

    answered as (
        select
            answers.source,
            answers.survey_id,
            answers.question_code,
            count(*) as answer_count
        from {{ ref("fct_survey_answers") }} as answers
        inner join people on answers.response_key = people.response_key
        where answers.score is not null
        group by answers.source, answers.survey_id, answers.question_code
    ),

    final as (
        select
            questions.source,
            questions.survey_id,
            questions.question_code as item,
            questions.role,
            questions.construct,
            questions.scale_min,
            questions.scale_max
        from questions
        inner join answered using (source, survey_id, question_code)
        inner join
            asked
            on questions.source = asked.source
            and questions.survey_id = asked.survey_id
        where
            questions.construct is not null
            -- an item that few were asked would remove the answers of all others
            and {{ div("answered.answer_count", "asked.person_count") }}
            >= {{ var("item_min_share") }}
    )

select *
from final
