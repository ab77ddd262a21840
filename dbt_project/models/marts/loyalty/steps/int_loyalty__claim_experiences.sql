{# Across waves the latest counts, for each thing asked: whether there was a complaint, and how many were told. #}
with
    experiences as (
        select *
        from {{ ref("fct_survey_experiences") }}
        where respondent_type = 'customer' and customer_key is not null
    ),

    placed as (
        select
            *,
            row_number() over (
                partition by customer_key, has_complained is null
                order by submitted_at desc, md5(response_key)
            ) as complaint_recency,
            row_number() over (
                partition by customer_key, told_count is null
                order by submitted_at desc, md5(response_key)
            ) as told_recency
        from experiences
    ),

    final as (
        select
            response_key,
            customer_key,
            satisfaction_class,
            mouth_class,
            has_problem,
            case when complaint_recency = 1 then has_complained end as has_complained,
            case when told_recency = 1 then told_count end as told_count
        from placed
    )

select *
from final
