{# Of each customer the complaint that most needs an apology: an open one first, then the newest. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    tickets as (select * from {{ ref("fct_tickets") }}),

    stated as (
        select
            tickets.customer_key,
            tickets.ticket_key,
            coalesce(tickets.category, 'an unnamed matter') as category,
            tickets.opened_date,
            tickets.resolved_at is null
            and coalesce(lower(tickets.status), 'open')
            not in ('resolved', 'closed', 'solved', 'done') as is_open,
            -- what was badly solved long ago is forgotten; what is open is owed
            coalesce(
                tickets.satisfaction_score <= {{ var("dissatisfied_to") }}
                and coalesce(tickets.resolved_date, tickets.opened_date)
                > {{ add_days("as_of.as_of", -var("complaint_action_days")) }},
                false
            ) as is_badly_solved
        from tickets
        cross join as_of
        where
            tickets.kind = 'complaint'
            and tickets.customer_key is not null
            and tickets.opened_date <= as_of.as_of
    ),

    placed as (
        select
            *,
            row_number() over (
                partition by customer_key
                order by
                    case when is_open then 0 else 1 end,
                    opened_date desc,
                    md5(ticket_key)
            ) as place
        from stated
        where is_open or is_badly_solved
    ),

    final as (
        select
            customer_key,
            ticket_key,
            category,
            opened_date,
            is_open,
            case
                when is_open
                then 'it is still open'
                else 'it was solved, but the customer is not satisfied'
            end as state
        from placed
        where place = 1
    )

select *
from final
