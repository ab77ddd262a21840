with
    source as (
        {{ newest_rows("survey_plan", ["_source", "survey_id", "wave", "mode"]) }}
    ),

    final as (
        select
            -- keys
            record_key,

            -- ids
            survey_id,

            -- texts
            wave,
            mode,

            -- numbers
            planned_completes,
            budget_amount,

            -- dates and times
            start_date,
            end_date,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "survey_plan")) }}
        from source
    )

select *
from final
