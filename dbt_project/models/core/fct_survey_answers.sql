with
    answers as (select * from {{ ref("int_survey_answers__current") }}),

    responses as (
        select response_key, source, survey_id, lower(language) as language
        from {{ ref("int_survey_responses__current") }}
        -- a preview is somebody trying the questionnaire, not a respondent
        where coalesce(status, 'complete') != 'preview'
    ),

    questions as (select * from {{ ref("dim_survey_questions") }}),

    label_scores as (select * from {{ ref("int_survey__label_scores") }}),

    read as (
        select
            answers.record_key as answer_key,
            answers.response_key,
            answers.source,
            answers.response_id,
            answers.question_code,
            responses.survey_id,
            responses.language,
            questions.role,
            questions.driver_group,
            questions.category,
            questions.period_days,
            questions.currency_code,
            questions.scale_min,
            questions.scale_max,
            questions.missing_codes,
            coalesce(questions.is_reversed, false) as is_reversed,
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

    scored as (
        select
            read.*,
            coalesce(
                {{ is_listed("read.value", "read.missing_codes") }}
                or {{
                    is_listed(
                        "cast(cast(read.number as bigint) as "
                        ~ dbt.type_string()
                        ~ ")",
                        "read.missing_codes",
                    )
                }},
                false
            ) as is_missing_code,
            coalesce(read.number, in_language.score, in_any.score) as given_score
        from read
        left join
            label_scores as in_language
            on read.source = in_language.source
            and read.survey_id = in_language.survey_id
            and read.question_code = in_language.question_code
            and read.label = in_language.label
            and read.language = in_language.language
        left join
            label_scores as in_any
            on read.source = in_any.source
            and read.survey_id = in_any.survey_id
            and read.question_code = in_any.question_code
            and read.label = in_any.label
            and in_any.language is null
    ),

    judged as (
        select
            *,
            coalesce(given_score < scale_min or given_score > scale_max, false)
            and not is_missing_code as is_off_scale
        from scored
    ),

    final as (
        select
            answer_key,
            response_key,
            source,
            response_id,
            survey_id,
            question_code,
            role,
            driver_group,
            category,
            period_days,
            currency_code,
            scale_min,
            scale_max,
            is_reversed,
            given_score,
            case
                when is_missing_code or is_off_scale
                then null
                when is_reversed
                then scale_min + scale_max - given_score
                else given_score
            end as score,
            is_missing_code or label is null as is_missing,
            is_off_scale,
            -- free text stays behind: it may name people
            label is not null
            and given_score is null
            and not is_missing_code
            and coalesce(role, '') != 'comment' as is_unreadable
        from judged
    )

select *
from final
