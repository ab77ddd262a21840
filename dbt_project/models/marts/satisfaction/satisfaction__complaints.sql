with
    tickets as (select * from {{ ref("fct_tickets") }}),

    outcomes as (select * from {{ ref("fct_ticket_outcomes") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    final as (
        select
            tickets.ticket_key,
            tickets.source,
            tickets.ticket_id,
            outcomes.customer_key,
            tickets.order_key,
            tickets.kind,
            tickets.category,
            outcomes.severity,
            tickets.channel,
            tickets.handled_by,
            tickets.handled_by_kind,
            tickets.status,
            tickets.opened_at,
            tickets.opened_date,
            {{ month_start("tickets.opened_date") }} as month,
            tickets.first_response_at,
            tickets.resolved_at,
            tickets.promised_at,
            cast(tickets.first_response_minutes as bigint) as first_response_minutes,
            cast(tickets.resolution_minutes as bigint) as resolution_minutes,
            tickets.is_resolved_before_opened,
            outcomes.is_complaint,
            outcomes.landmark_date,
            outcomes.is_landmark_reached,
            outcomes.speed,
            outcomes.is_answered,
            outcomes.is_promise_kept,
            tickets.reopened_count > 0 as is_reopened,
            cast(outcomes.failure_number as bigint) as failure_number,
            outcomes.is_first_failure,
            cast(outcomes.prior_order_day_count as bigint) as prior_order_day_count,
            outcomes.prior_frequency,
            outcomes.outcome_end_date,
            outcomes.is_outcome_observed,
            outcomes.has_bought_again,
            outcomes.has_bought_after_resolution,
            cast(
                tickets.satisfaction_score as {{ type_double() }}
            ) as satisfaction_score,
            cast(
                tickets.compensation_amount as {{ type_amount() }}
            ) as compensation_amount,
            coalesce(
                customers.currency_code, as_of.reporting_currency_code
            ) as currency_code
        from tickets
        cross join as_of
        inner join outcomes on tickets.ticket_key = outcomes.ticket_key
        left join customers on tickets.customer_key = customers.customer_key
    )

select *
from final
