{# The latest answer of all customers, of value customers and of high-value ones. #}
with
    segments as (select * from {{ ref("stat_satisfaction__value_segments") }}),

    people as (select * from {{ ref("stat_satisfaction__people") }} where recency = 1),

    results as (
        select *, cast(satisfaction_index as decimal(9, 4)) as rounded_index
        from {{ ref("fct_survey_results") }}
    ),

    final as (
        select
            segments.source,
            segments.survey_id,
            segments.segment,
            count(results.overall_score) as scored_count,
            case
                when count(results.is_top_box) > 0
                then count(case when results.is_top_box then 1 end)
            end as top_box_count,
            count(results.satisfaction_class) as classed_count,
            count(
                case when results.satisfaction_class = 'satisfied' then 1 end
            ) as satisfied_count,
            count(results.rounded_index) as index_count,
            sum(results.rounded_index) as index_sum,
            sum(results.rounded_index * results.rounded_index) as index_square_sum
        from segments
        inner join people using (source, survey_id, person_key)
        inner join results on people.response_key = results.response_key
        group by segments.source, segments.survey_id, segments.segment
    )

select *
from final
