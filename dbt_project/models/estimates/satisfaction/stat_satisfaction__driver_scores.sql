{#
  Complete answers for the analysis of drivers, a score on every driver and on what it drives; of a person's answers in
  several waves the latest counts. Drivers are split in four ways: by dimension, by factor group, by key factor, all
  against overall satisfaction; and relational benefits against the intention to buy again.
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

    people as (select * from {{ ref("stat_satisfaction__people") }}),

    items as (
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
            -- places and scores as they are have no mean in common
            having count(place) in (0, count(*))
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
    ),

    placed as (
        select
            items.*, people.source, people.survey_id, people.person_key, people.recency
        from items
        inner join people on items.response_key = people.response_key
    ),

    asked as (
        select source, survey_id, driver_by, count(distinct item) as item_count
        from placed
        group by source, survey_id, driver_by
        -- a driver without an outcome, or the other way round, is nothing to fit
        having
            count(distinct item) > 1 and max(case when item = 'outcome' then 1 end) = 1
    ),

    complete as (
        select
            placed.response_key,
            placed.driver_by,
            row_number() over (
                partition by
                    placed.source, placed.survey_id, placed.driver_by, placed.person_key
                order by placed.recency
            ) as place
        from placed
        inner join asked using (source, survey_id, driver_by)
        group by
            placed.response_key,
            placed.driver_by,
            placed.source,
            placed.survey_id,
            placed.person_key,
            placed.recency,
            asked.item_count
        having count(*) = asked.item_count
    ),

    final as (
        select placed.*, substr(md5(placed.person_key), 1, 1) as person_group
        from placed
        inner join complete using (response_key, driver_by)
        where complete.place = 1
    )

select *
from final
