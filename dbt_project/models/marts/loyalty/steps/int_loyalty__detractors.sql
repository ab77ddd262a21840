with
    as_of as (select * from {{ ref("dim_as_of") }}),

    results as (select * from {{ ref("fct_survey_results") }}),

    responses as (select * from {{ ref("fct_survey_responses") }}),

    placed as (
        select
            results.*,
            responses.followed_up_at,
            row_number() over (
                partition by results.customer_key
                order by results.submitted_at desc, md5(results.response_key)
            ) as recency
        from results
        cross join as_of
        inner join responses on results.response_key = responses.response_key
        where
            not results.is_duplicate
            and results.respondent_type = 'customer'
            and results.customer_key is not null
            and (results.nps_class is not null or results.loyalty_class is not null)
            and results.submitted_date
            > {{ add_days("as_of.as_of", -var("detractor_action_days")) }}
            and results.submitted_date <= as_of.as_of
    ),

    final as (
        select
            customer_key,
            response_key,
            submitted_date,
            case
                when loyalty_class = 'hostile' then 'dissatisfied' else 'a detractor'
            end as answer_class
        from placed
        -- only the newest answer: who has come round needs no follow-up
        where
            recency = 1
            and followed_up_at is null
            and (nps_class = 'detractor' or loyalty_class = 'hostile')
    )

select *
from final
