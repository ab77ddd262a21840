{# The latest statement of each customer in a category and calendar quarter or year. #}
with
    statements as (select * from {{ ref("int_wallet__statements") }}),

    placed as ({{ by_period("statements", "submitted_date") }}),

    ranked as (
        select
            *,
            row_number() over (
                partition by
                    source, customer_key, category, period_grain, period_start_date
                order by submitted_date desc, md5(response_key)
            ) as recency
        from placed
    ),

    final as (select * from ranked where recency = 1)

select *
from final
