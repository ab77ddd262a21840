{# How important customers say each driver is, 0..100: of each person the latest answer. #}
{%- set parts = {
    "dimension": "substr(role, 12)",
    "driver_group": "driver_group",
    "key_factor": "key_factor",
} -%}
with
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

    segments as (select * from {{ ref("stat_satisfaction__value_segments") }}),

    final as (
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
    )

select *
from final
