with
    source as (select * from {{ source("raw", "survey_answer_labels") }}),

    final as (
        select
            -- keys
            {{
                made_key(
                    ["_source", "survey_id", "question_code", "language", "label"]
                )
            }} as record_key,

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
