with
    source as (
        {{ newest_rows("survey_answers", ["_source", "response_id", "question_code"]) }}
    ),

    final as (
        select
            -- keys
            record_key,
            {{ made_key(["_source", "response_id"]) }} as response_key,

            -- ids
            response_id,

            -- texts
            question_code,
            value,
            label,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "survey_answers")) }}
        from source
    )

select *
from final
