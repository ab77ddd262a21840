with
    as_of as (select * from {{ ref("dim_as_of") }}),

    responses as (
        select responses.*
        from {{ ref("fct_survey_responses") }} as responses
        cross join as_of
        where
            not responses.is_duplicate
            and responses.respondent_type = 'customer'
            and responses.customer_key is not null
            and responses.submitted_date
            > {{ window_start("as_of.as_of", var("loyalty_window_months")) }}
            and responses.submitted_date <= as_of.as_of
    ),

    placed as (
        select
            responses.customer_key,
            responses.submitted_date,
            scores.*,
            row_number() over (
                partition by responses.customer_key, scores.role
                order by responses.submitted_at desc, md5(scores.score_key)
            ) as recency
        from responses
        inner join
            {{ ref("fct_survey_scores") }} as scores
            on responses.response_key = scores.response_key
    ),

    final as (
        select
            customer_key,
            role,
            response_key,
            submitted_date,
            score,
            score_index,
            scale_min,
            scale_max
        from placed
        where recency = 1
    )

select *
from final
