{# What kinds of customers are fitted on: how many answered alike. #}
with
    cells as (select * from {{ ref("stat_satisfaction__answer_cells") }}),

    final as (
        select source, survey_id, dimensions, cell, count(*) as answer_count
        from cells
        group by source, survey_id, dimensions, cell
    )

select *
from final
