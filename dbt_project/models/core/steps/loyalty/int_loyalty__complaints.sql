with
    as_of as (select * from {{ ref("dim_as_of") }}),

    -- whether a later complainer buys again nobody has seen yet
    observed as (
        select
            outcomes.*,
            row_number() over (
                partition by outcomes.customer_key
                order by outcomes.opened_date desc, md5(outcomes.ticket_key)
            ) as recency
        from {{ ref("fct_ticket_outcomes") }} as outcomes
        cross join as_of
        where
            outcomes.is_complaint
            and outcomes.is_outcome_observed
            and outcomes.opened_date
            > {{ window_start("as_of.as_of", var("loyalty_window_months")) }}
    ),

    final as (
        select customer_key, ticket_key, opened_date, has_bought_again
        from observed
        where recency = 1
    )

select *
from final
