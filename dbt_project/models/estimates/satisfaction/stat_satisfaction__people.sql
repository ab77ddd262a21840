{# Whose answer is whose: a customer with several answers to a survey is one person, the latest answer first. #}
with
    responses as (
        select *
        from {{ ref("fct_survey_responses") }}
        where not is_duplicate and respondent_type = 'customer'
    ),

    final as (
        select
            response_key,
            source,
            survey_id,
            wave,
            -- a respondent without a key counts as a person with one answer
            coalesce(customer_key, response_key) as person_key,
            customer_key,
            row_number() over (
                partition by source, survey_id, coalesce(customer_key, response_key)
                order by submitted_at desc, md5(response_key)
            ) as recency
        from responses
    )

select *
from final
