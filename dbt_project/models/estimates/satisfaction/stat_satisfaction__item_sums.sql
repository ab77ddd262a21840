{# What the structure is fitted on: exact sums over complete answers, by pair of items. #}
with
    items as (select * from {{ ref("stat_satisfaction__items") }}),

    people as (select * from {{ ref("stat_satisfaction__people") }}),

    answers as (select * from {{ ref("fct_survey_answers") }} where score is not null),

    asked as (
        select source, survey_id, count(*) as item_count
        from items
        group by source, survey_id
    ),

    answered as (
        select
            people.source,
            people.survey_id,
            people.response_key,
            people.person_key,
            people.recency,
            items.item,
            items.role,
            cast(answers.score as decimal(12, 6)) as score
        from answers
        inner join people on answers.response_key = people.response_key
        inner join
            items
            on answers.source = items.source
            and answers.survey_id = items.survey_id
            and answers.question_code = items.item
    ),

    complete as (
        select
            answered.response_key,
            row_number() over (
                partition by answered.source, answered.survey_id, answered.person_key
                order by answered.recency
            ) as place
        from answered
        inner join asked using (source, survey_id)
        group by
            answered.response_key,
            answered.source,
            answered.survey_id,
            answered.person_key,
            answered.recency,
            asked.item_count
        having count(*) = asked.item_count
    ),

    -- of each person the latest response that answers every item
    scores as (
        select answered.*, substr(md5(answered.person_key), 1, 1) as person_group
        from answered
        inner join
            complete
            on answered.response_key = complete.response_key
            and complete.place = 1
    ),

    final as ({{ cross_products("scores", ["source", "survey_id", "person_group"]) }})
select *
from final
