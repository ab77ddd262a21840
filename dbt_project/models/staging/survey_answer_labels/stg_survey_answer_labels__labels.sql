with
    source as (
        {{
            newest_rows(
                "survey_answer_labels",
                ["_source", "survey_id", "question_code", "language", "label"],
            )
        }}
    ),

    final as (
        select
            -- keys
            record_key,

            -- ids
            survey_id,

            -- texts
            question_code,
            language,
            label,

            -- numbers
            score,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "survey_answer_labels")) }}
        from source
    )

select *
from final
