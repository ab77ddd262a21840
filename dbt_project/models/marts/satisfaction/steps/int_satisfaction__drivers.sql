{# Every driver with how it performs, what it explains and how important it is said to be. #}
{%- set scope = "source, survey_id, driver_by, segment" -%}
{%- set parts = {
    "dimension": "substr(role, 12)",
    "driver_group": "driver_group",
    "key_factor": "key_factor",
} -%}
with
    sums as (
        select * from {{ ref("stat_satisfaction__driver_sums") }} where item_a = item_b
    ),

    fits as (select * from {{ source("estimates", "survey_driver_fits") }}),

    shares as (select * from {{ source("estimates", "survey_drivers") }}),

    segments as (select * from {{ ref("stat_satisfaction__value_segments") }}),

    -- of each person the latest answer
    answers as (
        select
            answers.*,
            people.person_key,
            {{ scale_index("answers.score", "answers.scale_min", "answers.scale_max") }}
            as place
        from {{ ref("fct_survey_answers") }} as answers
        inner join
            {{ ref("stat_satisfaction__people") }} as people
            on answers.response_key = people.response_key
            and people.recency = 1
        where answers.role like 'importance:%' and answers.score is not null
    ),

    -- how important customers say each driver is, 0..100
    stated as (
        {% for driver_by, driver in parts.items() %}
            select
                answers.source,
                answers.survey_id,
                '{{ driver_by }}' as driver_by,
                segments.segment,
                {{ driver }} as driver,
                count(answers.place) as stated_count,
                sum(answers.place) as stated_sum
            from answers
            inner join segments using (source, survey_id, person_key)
            where {{ driver }} is not null
            group by answers.source, answers.survey_id, segments.segment, {{ driver }}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    performed as (
        select
            {{ scope }},
            item_a as driver,
            cast(sum(answer_count) as bigint) as answer_count,
            sum(sum_a) as score_sum
        from sums
        where item_a != 'outcome'
        group by {{ scope }}, item_a
    ),

    final as (
        select
            performed.source,
            performed.survey_id,
            performed.driver_by,
            performed.segment,
            performed.driver,
            case
                when performed.driver_by = 'relational_benefit'
                then 'repurchase_intent'
                else 'overall_satisfaction'
            end as outcome,
            performed.answer_count,
            {{ div("performed.score_sum", "performed.answer_count") }}
            as performance_index,
            coalesce(fits.status, 'not fitted') as fit_status,
            fits.reason as fit_reason,
            fits.r_squared,
            shares.lmg,
            shares.lmg_share,
            shares.lmg_share_low,
            shares.lmg_share_high,
            shares.johnson,
            shares.johnson_share,
            coalesce(stated.stated_count, 0) as stated_count,
            {{ div("stated.stated_sum", "stated.stated_count") }} as stated_importance
        from performed
        left join fits using ({{ scope }})
        left join shares using ({{ scope }}, driver)
        left join stated using ({{ scope }}, driver)
    )

select *
from final
