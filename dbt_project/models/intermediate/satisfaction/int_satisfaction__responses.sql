{# The questionnaires that count as asked, with customers after merges and the wave each belongs to. #}
with
    responses as (select * from {{ ref("stg_survey_responses__responses") }}),

    orders as (select * from {{ ref("stg_orders__orders") }}),

    customers as (select * from {{ ref("int_customers__merges") }}),

    -- an answer about an order without a customer of its own is its customer's
    named as (
        select
            responses.*,
            coalesce(responses.customer_key, orders.customer_key) as known_customer_key
        from responses
        left join orders on responses.order_key = orders.order_key
    ),

    final as (
        select
            named.response_key,
            named.source,
            named.response_id,
            named.survey_id,
            -- a survey without waves is counted by calendar month
            coalesce(
                named.wave,
                substr(cast(named.submitted_date as {{ dbt.type_string() }}), 1, 7)
            ) as wave,
            named.wave is not null as is_wave_named,
            coalesce(
                customers.merged_customer_key, named.known_customer_key
            ) as customer_key,
            named.order_key,
            named.product_key,
            coalesce(named.respondent_type, 'customer') as respondent_type,
            named.mode,
            named.touchpoint,
            coalesce(named.status, 'complete') as status,
            named.incentive,
            named.language,
            named.device_hash,
            named.sent_at,
            named.sent_date,
            named.started_at,
            named.submitted_at,
            named.submitted_date,
            named.followed_up_at,
            case
                when named.submitted_at >= named.started_at
                then
                    {{
                        time_between(
                            "named.started_at", "named.submitted_at", "second"
                        )
                    }}
            end as answer_seconds
        from named
        left join customers on named.known_customer_key = customers.customer_key
        -- a preview is somebody trying the questionnaire, not a respondent
        where coalesce(named.status, 'complete') != 'preview'
    )

select *
from final
