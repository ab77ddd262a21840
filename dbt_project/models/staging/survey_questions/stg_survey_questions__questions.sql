with
    source as (
        {{ newest_rows("survey_questions", ["_source", "survey_id", "question_code"]) }}
    ),

    final as (
        select
            -- keys
            record_key,

            -- ids
            survey_id,

            -- texts
            question_code,
            role,
            direction,
            missing_codes,
            category,
            currency_code,
            driver_group,
            key_factor,
            construct,

            -- numbers
            scale_min,
            scale_max,
            period_days,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "survey_questions")) }}
        from source
    )

select *
from final
