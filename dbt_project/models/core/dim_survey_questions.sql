with
    questions as (select * from {{ ref("stg_survey_questions__questions") }}),

    constructs as (select * from {{ ref("survey_constructs") }}),

    final as (
        select
            questions.record_key as question_key,
            questions.source,
            questions.survey_id,
            questions.question_code,
            questions.role,
            questions.scale_min,
            questions.scale_max,
            coalesce(lower(questions.direction), 'positive')
            in ('negative', 'reversed', 'reverse', '-1') as is_reversed,
            questions.missing_codes,
            questions.period_days,
            questions.category,
            questions.currency_code,
            questions.driver_group,
            questions.key_factor,
            coalesce(
                lower(trim(questions.construct)), constructs.construct
            ) as construct
        from questions
        left join
            constructs
            on questions.role = constructs.role
            or questions.role like constructs.role || ':%'
    )

select *
from final
