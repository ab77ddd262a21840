with
    cells as (select * from {{ ref("stat_satisfaction__answer_cells") }}),

    segments as (select * from {{ source("estimates", "survey_answer_segments") }}),

    final as (
        select cells.response_key, segments.answer_segment
        from cells
        inner join segments using (source, survey_id, cell)
    )

select *
from final
