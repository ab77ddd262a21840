{# What was answered, as a number: numbers win over words, words are read by the survey's label map. #}
{%- set number_text = (
    "cast(cast(read.number as bigint) as " ~ dbt.type_string() ~ ")"
) -%}
with
    answers as (select * from {{ ref("stg_survey_answers__answers") }}),

    responses as (
        select response_key, source, survey_id, lower(language) as language
        from {{ ref("stg_survey_responses__responses") }}
        -- a preview is somebody trying the questionnaire, not a respondent
        where coalesce(status, 'complete') != 'preview'
    ),

    questions as (select * from {{ ref("dim_survey_questions") }}),

    labels as (
        select
            source,
            survey_id,
            question_code,
            lower(language) as language,
            lower(trim(label)) as label,
            score
        from {{ ref("stg_survey_answer_labels__labels") }}
    ),

    by_language as (
        select source, survey_id, question_code, label, language, max(score) as score
        from labels
        where language is not null
        group by source, survey_id, question_code, label, language
        having min(score) = max(score)
    ),

    in_any_language as (
        select
            source,
            survey_id,
            question_code,
            label,
            cast(null as {{ dbt.type_string() }}) as language,
            max(score) as score
        from labels
        group by source, survey_id, question_code, label
        having min(score) = max(score)
    ),

    -- the score of a label: in the respondent's language if the label map has it,
    -- else where all languages agree
    label_scores as (
        select *
        from by_language
        union all
        select *
        from in_any_language
    ),

    read as (
        select
            answers.record_key as answer_key,
            answers.response_key,
            answers.source,
            answers.response_id,
            answers.question_code,
            responses.survey_id,
            responses.language,
            questions.question_key,
            questions.missing_codes,
            {{ try_cast("trim(answers.value)", "decimal(18, 4)") }} as number,
            nullif(trim(answers.value), '') as value,
            lower(nullif(trim(coalesce(answers.label, answers.value)), '')) as label
        from answers
        inner join responses on answers.response_key = responses.response_key
        left join
            questions
            on responses.source = questions.source
            and responses.survey_id = questions.survey_id
            and answers.question_code = questions.question_code
    ),

    final as (
        select
            read.answer_key,
            read.response_key,
            read.source,
            read.response_id,
            read.survey_id,
            read.question_code,
            read.question_key,
            read.label is not null as is_answered,
            coalesce(
                {{ is_listed("read.value", "read.missing_codes") }}
                or {{ is_listed(number_text, "read.missing_codes") }},
                false
            ) as is_missing_code,
            coalesce(read.number, in_language.score, in_any.score) as given_score
        from read
        left join
            label_scores as in_language using (
                source, survey_id, question_code, label, language
            )
        left join
            label_scores as in_any
            on read.source = in_any.source
            and read.survey_id = in_any.survey_id
            and read.question_code = in_any.question_code
            and read.label = in_any.label
            and in_any.language is null
    )

select *
from final
