with
    questions as (select * from {{ ref("stg_survey_questions__questions") }}),

    final as (
        select
            record_key as question_key,
            source,
            survey_id,
            question_code,
            role,
            scale_min,
            scale_max,
            coalesce(lower(direction), 'positive')
            in ('negative', 'reversed', 'reverse', '-1') as is_reversed,
            missing_codes,
            period_days,
            category,
            currency_code,
            driver_group,
            key_factor
        from questions
    )

select *
from final
