{# Complete answers for the analysis of drivers; of a person's answers in several waves the latest speaks. #}
with
    items as (select * from {{ ref("stat_satisfaction__driver_items") }}),

    people as (select * from {{ ref("stat_satisfaction__people") }}),

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
