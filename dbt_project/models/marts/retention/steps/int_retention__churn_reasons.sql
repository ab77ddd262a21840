{# Why customers left, as a contract's end or a survey says: only reasons from the reviewed lists, no free text. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    contracts as (select * from {{ ref("fct_contracts") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    ranked as (
        select
            source,
            survey_id,
            question_code,
            score,
            lower(trim(label)) as label,
            row_number() over (
                partition by source, survey_id, question_code, score
                order by case when lower(language) = 'en' then 0 else 1 end, md5(label)
            ) as place
        from {{ ref("stg_survey_answer_labels__labels") }}
    ),

    -- The text of each coded answer, in English where there is one: for answers
    -- that are names and not grades.
    labels as (
        select source, survey_id, question_code, score, label
        from ranked
        where place = 1
    ),

    answers as (
        select *
        from {{ ref("fct_survey_answers") }}
        where role = 'churn_reason' and score is not null
    ),

    responses as (
        select *
        from {{ ref("fct_survey_responses") }}
        where not is_duplicate and respondent_type = 'customer'
    ),

    stated as (
        select
            contracts.contract_key as record_key,
            'contract' as stated_in,
            contracts.customer_key,
            contracts.ended_date as stated_date,
            coalesce(lower(trim(contracts.end_reason)), 'not stated') as reason
        from contracts
        cross join as_of
        where contracts.ended_date <= as_of.as_of
        union all
        select
            answers.answer_key as record_key,
            'survey' as stated_in,
            responses.customer_key,
            responses.submitted_date as stated_date,
            coalesce(
                labels.label,
                'code '
                || cast(cast(answers.score as bigint) as {{ dbt.type_string() }})
            ) as reason
        from answers
        inner join responses on answers.response_key = responses.response_key
        left join
            labels
            on answers.source = labels.source
            and answers.survey_id = labels.survey_id
            and answers.question_code = labels.question_code
            and answers.score = labels.score
    ),

    final as (
        select
            {{ made_key(["stated.stated_in", "stated.record_key"]) }} as reason_key,
            stated.stated_in,
            stated.customer_key,
            stated.stated_date,
            stated.reason,
            -- whether strangers came back is not known
            customers.last_order_date > stated.stated_date as has_returned
        from stated
        left join customers on stated.customer_key = customers.customer_key
        where coalesce(customers.base, 'customer') = 'customer'
    )
select *
from final
