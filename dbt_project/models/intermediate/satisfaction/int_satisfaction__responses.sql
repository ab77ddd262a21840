{# The questionnaires that count as asked, with customers after merges and the wave each belongs to. #}
with
    responses as (select * from {{ ref("int_survey_responses__current") }}),

    customers as (select * from {{ ref("int_customers__merges") }}),

    final as (
        select
            responses.response_key,
            responses.source,
            responses.response_id,
            responses.survey_id,
            -- a survey without waves is counted by calendar month
            coalesce(
                responses.wave,
                substr(cast(responses.submitted_date as {{ dbt.type_string() }}), 1, 7)
            ) as wave,
            coalesce(
                customers.merged_customer_key, responses.customer_key
            ) as customer_key,
            responses.order_key,
            responses.product_key,
            coalesce(responses.respondent_type, 'customer') as respondent_type,
            responses.mode,
            responses.touchpoint,
            coalesce(responses.status, 'complete') as status,
            responses.incentive,
            responses.language,
            responses.device_hash,
            responses.sent_at,
            responses.sent_date,
            responses.started_at,
            responses.submitted_at,
            responses.submitted_date,
            responses.followed_up_at,
            case
                when responses.submitted_at >= responses.started_at
                then
                    {{
                        time_between(
                            "responses.started_at", "responses.submitted_at", "second"
                        )
                    }}
            end as answer_seconds
        from responses
        left join customers on responses.customer_key = customers.customer_key
        -- a preview is somebody trying the questionnaire, not a respondent
        where coalesce(responses.status, 'complete') != 'preview'
    )

select *
from final
