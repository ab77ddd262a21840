{# Sums of every measure by wave, and whether those who score high buy again more often, among the satisfied and the others. #}
{%- set groups = {
    "high_satisfied": "is_high and is_satisfied",
    "low_satisfied": "not is_high and is_satisfied",
    "high_other": "is_high and not is_satisfied",
    "low_other": "not is_high and not is_satisfied",
} -%}
with
    measures as (select * from {{ ref("int_satisfaction__measures") }}),

    results as (select * from {{ ref("fct_survey_results") }} where not is_duplicate),

    outcomes as (
        select response_key, has_repurchased from {{ ref("fct_survey_outcomes") }}
    ),

    joined as (
        select
            results.source,
            results.survey_id,
            results.wave,
            results.respondent_type,
            measures.measure_group,
            measures.measure,
            cast(measures.place as decimal(12, 4)) as place,
            measures.place >= {{ var("attitude_cut") }} as is_high,
            results.satisfaction_class = 'satisfied' as is_satisfied,
            outcomes.has_repurchased
        from measures
        inner join results on measures.response_key = results.response_key
        left join outcomes on measures.response_key = outcomes.response_key
    ),

    final as (
        select
            source,
            survey_id,
            wave,
            respondent_type,
            measure_group,
            measure,
            count(*) as answer_count,
            sum(place) as place_sum,
            sum(place * place) as place_square_sum,
            count(case when is_high then 1 end) as high_count,
            {% for name, condition in groups.items() %}
                count(
                    case when {{ condition }} then has_repurchased end
                ) as {{ name }}_count,
                count(
                    case when {{ condition }} and has_repurchased then 1 end
                ) as {{ name }}_again_count
                {%- if not loop.last %},{% endif %}
            {% endfor %}
        from joined
        group by source, survey_id, wave, respondent_type, measure_group, measure
    )

select *
from final
