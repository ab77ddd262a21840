{# Complete answers on the dimensions, each place rounded to tens of 0..100: where kinds of customers are looked for. #}
{%- set place = "cast(placed.place as " ~ dbt.type_string() ~ ")" -%}
{%- set in_order = "order by placed.dimension" -%}
with
    scores as (
        select * from {{ ref("fct_survey_scores") }} where role like 'dimension:%'
    ),

    people as (select * from {{ ref("stat_satisfaction__people") }}),

    placed as (
        select
            people.source,
            people.survey_id,
            people.response_key,
            substr(scores.role, 11) as dimension,
            cast(
                round(cast({{ div("scores.score_index", "10") }} as decimal(9, 4)), 0)
                * 10 as integer
            ) as place
        from scores
        inner join people on scores.response_key = people.response_key
        where scores.score_index is not null
    ),

    asked as (
        select source, survey_id, count(distinct dimension) as dimension_count
        from placed
        group by source, survey_id
    ),

    final as (
        select
            placed.source,
            placed.survey_id,
            placed.response_key,
            {{ dbt.listagg("placed.dimension", "','", in_order) }} as dimensions,
            {{ dbt.listagg(place, "','", in_order) }} as cell
        from placed
        inner join asked using (source, survey_id)
        group by
            placed.source, placed.survey_id, placed.response_key, asked.dimension_count
        having count(*) = asked.dimension_count
    )

select *
from final
