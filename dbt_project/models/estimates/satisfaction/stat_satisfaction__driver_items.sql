{#
  A score on every driver and on what it drives. Drivers are parted in four ways: by dimension, by
  factor group, by key factor, all against overall satisfaction; and relational benefits against the
  intention to buy again.
#}
{%- set parts = {
    "dimension": "case when role like 'dimension:%' then substr(role, 11) end",
    "driver_group": "driver_group",
    "key_factor": "key_factor",
    "relational_benefit": "case when role like 'relational:%' then substr(role, 12) end",
} -%}
with
    answers as (
        select *, {{ scale_index("score", "scale_min", "scale_max") }} as place
        from {{ ref("fct_survey_answers") }}
        where
            score is not null
            and role not like 'importance:%'
            and role not in ('overall_satisfaction', 'comment')
    ),

    scores as (select * from {{ ref("fct_survey_scores") }}),

    final as (
        {% for driver_by, driver in parts.items() %}
            select
                response_key,
                '{{ driver_by }}' as driver_by,
                {{ driver }} as item,
                -- items on an open scale are compared as they are
                {{
                    rounded(
                        div("sum(coalesce(place, score))", "count(*)"),
                        6,
                        precision=12,
                    )
                }} as score
            from answers
            where {{ driver }} is not null
            group by response_key, {{ driver }}
            union all
            select
                response_key,
                '{{ driver_by }}' as driver_by,
                'outcome' as item,
                cast(score as decimal(12, 6)) as score
            from scores
            where role = '{{
                    "repurchase_intent"
                    if driver_by == "relational_benefit"
                    else "overall_satisfaction"
                }}'
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    )

select *
from final
