{# What the structure is fitted on: exact sums over complete answers, by pair of items. #}
with
    scores as (select * from {{ ref("stat_satisfaction__item_scores") }}),

    final as ({{ cross_products("scores", ["source", "survey_id", "person_group"]) }})

select *
from final
