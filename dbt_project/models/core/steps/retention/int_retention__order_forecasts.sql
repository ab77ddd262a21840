{# Orders to come of each customer, all figures from one model; the day is the unit of an order. #}
with
    histories as (
        select *
        from {{ ref("fct_order_histories") }}
        where fit_window = 'all' and not is_left_truncated
    ),

    order_model as (select * from {{ ref("int_retention__order_model") }}),

    expectations as (
        select expectations.*, order_model.model_verdict
        from {{ source("estimates", "order_expectations") }} as expectations
        inner join order_model on expectations.model = order_model.model
    ),

    final as (
        select
            histories.customer_key,
            histories.repeat_day_count,
            histories.recency_days,
            histories.age_days,
            expectations.model,
            expectations.model_verdict,
            {{ rounded("expectations.p_alive", 8) }} as p_alive,
            {{ rounded("expectations.order_probability", 8) }} as order_probability,
            expectations.expected_order_count,
            expectations.clv_order_count,
            expectations.discounted_order_count
        from histories
        left join
            expectations
            on histories.repeat_day_count = expectations.repeat_day_count
            and histories.recency_days = expectations.recency_days
            and histories.age_days = expectations.age_days
    )

select *
from final
