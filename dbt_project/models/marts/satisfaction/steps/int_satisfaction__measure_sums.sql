{#
  What questionnaires say of value, price, benefits, bonds and costs of leaving, each on 0..100: sums of every measure
  by wave, and whether those who score high buy again more often, among the satisfied and the others.
#}
{%- set groups = {
    "high_satisfied": "is_high and is_satisfied",
    "low_satisfied": "not is_high and is_satisfied",
    "high_other": "is_high and not is_satisfied",
    "low_other": "not is_high and not is_satisfied",
} -%}
{%- set plain = [
    "nonmonetary",
    "convenience",
    "effort",
    "image",
    "belonging",
    "identity",
    "trust",
    "preference",
    "lifetime_intent",
    "norm",
    "situation",
    "price_tolerance",
] -%}
{%- set grouped = {
    "relational": "relational benefit",
    "switching_cost": "switching cost",
    "dimension": "intrinsic value",
} -%}
{%- set composites = {
    "perceived_value": [
        "perceived value",
        "role in ('value_given_price', 'price_given_quality')",
    ],
    "relational_benefits": [
        "relational benefit",
        "role like 'relational:%'",
    ],
    "switching_cost_index": [
        "switching cost",
        "role like 'switching_cost:%'",
    ],
    "total_benefit": ["delivered value", "role like 'benefit:%'"],
    "total_sacrifice": ["delivered value", "role like 'sacrifice:%'"],
} -%}
with
    scores as (
        select * from {{ ref("fct_survey_scores") }} where score_index is not null
    ),

    measured as (
        select
            response_key,
            role as measure,
            case
                {% for role, name in grouped.items() %}
                    when role like '{{ role }}:%' then '{{ name }}'
                {% endfor %}
                else 'bond'
            end as measure_group,
            score_index as place
        from scores
        where
            role in ('{{ plain | join("', '") }}')
            {% for role in grouped %} or role like '{{ role }}:%' {% endfor %}
        {% for measure, (group, condition) in composites.items() %}
            union all
            select
                response_key,
                '{{ measure }}' as measure,
                '{{ group }}' as measure_group,
                {{ rounded(div("sum(score_index)", "count(*)"), 8) }} as place
            from scores
            where {{ condition }}
            group by response_key
        {% endfor %}
    ),

    delivered as (
        select
            benefit.response_key,
            'delivered_value' as measure,
            'delivered value' as measure_group,
            benefit.place - sacrifice.place as place
        from measured as benefit
        inner join
            measured as sacrifice on benefit.response_key = sacrifice.response_key
        where
            benefit.measure = 'total_benefit' and sacrifice.measure = 'total_sacrifice'
    ),

    measures as (
        select *
        from measured
        union all
        select *
        from delivered
    ),

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
