{# What the curve of loyalty is fitted on: customers and how many bought again, by score and by value of the index. #}
with
    answers as (select * from {{ ref("stat_satisfaction__followed_answers") }}),

    measured as (
        select
            source,
            survey_id,
            'overall_score' as measure,
            cast(overall_score as decimal(12, 6)) as score,
            has_repurchased
        from answers
        union all
        select
            source,
            survey_id,
            'satisfaction_index' as measure,
            cast(satisfaction_index as decimal(12, 6)) as score,
            has_repurchased
        from answers
        where satisfaction_index is not null
    ),

    final as (
        select
            source,
            survey_id,
            measure,
            score,
            count(*) as customer_count,
            count(case when has_repurchased then 1 end) as again_count
        from measured
        group by source, survey_id, measure, score
    )

select *
from final
