{# The price expected and the price paid, where both are known in one currency. #}
with
    answers as (
        select * from {{ ref("fct_survey_answers") }} where role = 'expected_price'
    ),

    paid as (select * from {{ ref("int_satisfaction__paid_prices") }}),

    final as (
        select
            answers.response_key,
            max(paid.currency_code) as currency_code,
            max(answers.score) as expected_amount,
            max(paid.paid_amount) as paid_amount,
            max(
                {{ rounded(div("paid.paid_amount", "answers.score"), 8) }}
            ) as price_ratio
        from answers
        inner join
            paid
            on answers.response_key = paid.response_key
            and coalesce(answers.currency_code, paid.currency_code) = paid.currency_code
        where answers.score > 0
        group by answers.response_key
        -- two expected prices in one questionnaire: nobody knows which one is meant
        having count(*) = 1
    )

select *
from final
