{# Who could have been asked in a wave, what they had spent before, how they were asked, and whether they answered. #}
with
    base as (select * from {{ ref("int_survey__wave_base") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    sent as (
        select
            source,
            survey_id,
            wave,
            customer_key,
            mode,
            row_number() over (
                partition by source, survey_id, wave, customer_key
                order by sent_at, md5(send_key)
            ) as attempt_number
        from {{ ref("fct_survey_sends") }}
    ),

    answered as (
        select
            source,
            survey_id,
            wave,
            customer_key,
            mode,
            row_number() over (
                partition by source, survey_id, wave, customer_key
                order by submitted_at, md5(response_key)
            ) as answer_number
        from {{ ref("fct_survey_responses") }}
        where not is_duplicate and respondent_type = 'customer'
    ),

    final as (
        select
            {{
                made_key(
                    [
                        "base.source",
                        "base.survey_id",
                        "base.wave",
                        "base.customer_key",
                    ]
                )
            }} as wave_customer_key,
            base.source,
            base.survey_id,
            base.wave,
            base.customer_key,
            base.spend_amount,
            customers.currency_code,
            coalesce(answered.mode, sent.mode) as mode,
            sent.customer_key is not null as is_sent,
            answered.customer_key is not null as has_answered
        from base
        inner join customers on base.customer_key = customers.customer_key
        left join
            sent
            on base.source = sent.source
            and base.survey_id = sent.survey_id
            and base.wave = sent.wave
            and base.customer_key = sent.customer_key
            and sent.attempt_number = 1
        left join
            answered
            on base.source = answered.source
            and base.survey_id = answered.survey_id
            and base.wave = answered.wave
            and base.customer_key = answered.customer_key
            and answered.answer_number = 1
    )

select *
from final
