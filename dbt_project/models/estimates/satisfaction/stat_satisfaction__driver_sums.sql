{# What drivers are fitted on: exact sums over complete answers, of all, of value and of high-value customers. #}
{%- set keys = ["source", "survey_id", "driver_by", "segment", "person_group"] -%}
with
    scores as (select * from {{ ref("stat_satisfaction__driver_scores") }}),

    segments as (select * from {{ ref("stat_satisfaction__value_segments") }}),

    segmented as (
        select scores.*, segments.segment
        from scores
        inner join segments using (source, survey_id, person_key)
    ),

    summed as ({{ cross_products("segmented", keys) }}),

    final as (
        select
            summed.*,
            {{ var("driver_min_base") }} as least_answers,
            {{ var("driver_min_base_each") }} as least_answers_a_driver
        from summed
    )

select *
from final
