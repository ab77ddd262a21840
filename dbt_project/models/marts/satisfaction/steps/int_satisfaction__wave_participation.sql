{# Who could have been asked in a wave, what they had spent before, how they were asked, and whether they answered. #}
with
    base as (select * from {{ ref("fct_survey_wave_customers") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    sends as (select * from {{ ref("fct_survey_sends") }}),

    responses as (
        select *
        from {{ ref("fct_survey_responses") }}
        where not is_duplicate and respondent_type = 'customer'
    ),

    -- of each customer the first one counts
    {% for name, relation, order in [
        ("sent", "sends", "sent_at, md5(send_key)"),
        ("answered", "responses", "submitted_at, md5(response_key)"),
    ] %}
        {{ name }} as (
            select source, survey_id, wave, customer_key, mode
            from
                (
                    select
                        *,
                        row_number() over (
                            partition by source, survey_id, wave, customer_key
                            order by {{ order }}
                        ) as place
                    from {{ relation }}
                ) as placed
            where place = 1
        ),
    {% endfor %}

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
        left join sent using (source, survey_id, wave, customer_key)
        left join answered using (source, survey_id, wave, customer_key)
        inner join customers on base.customer_key = customers.customer_key
    )

select *
from final
