with
    source as (
        {{ newest_rows("survey_paths", ["_source", "survey_id", "cause", "effect"]) }}
    ),

    final as (
        select
            -- keys
            record_key,

            -- ids
            survey_id,

            -- texts
            cause,
            effect,

            -- booleans
            is_standardised,

            -- where the row came from
            {{ lineage_columns() }}
            {{ x_columns(source("raw", "survey_paths")) }}
        from source
    )

select *
from final
