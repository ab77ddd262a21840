with
    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    orders as (select * from {{ ref("int_retention__order_forecasts") }}),

    order_values as (select * from {{ ref("int_retention__value_forecasts") }}),

    years as (select * from {{ ref("int_retention__yearly_values") }}),

    order_model as (select * from {{ ref("int_retention__order_model") }}),

    -- a model that finds no leaving, or none before the second order, calls all
    -- customers alive, however long they do not order
    hidden as (
        select
            orders.customer_key,
            case
                when order_model.hidden_reason is not null
                then order_model.hidden_reason
                when orders.model = 'bgnbd' and orders.repeat_day_count = 0
                then 'in BG/NBD a customer can leave after the second order day only'
            end as reason
        from orders
        cross join order_model
        where orders.p_alive is not null
    ),

    joined as (
        select
            customers.customer_key,
            customers.source,
            customers.currency_code,
            orders.repeat_day_count,
            orders.recency_days,
            orders.age_days,
            case when hidden.reason is null then orders.p_alive end as p_alive,
            hidden.reason as hidden_reason,
            orders.model as order_model,
            orders.model_verdict as order_model_verdict,
            orders.order_probability,
            {{ order_probability_band("orders.order_probability") }}
            as order_probability_band,
            orders.expected_order_count,
            orders.clv_order_count,
            orders.discounted_order_count,
            order_values.expected_order_amount,
            order_values.own_margin_rate,
            order_values.segment_margin_rate,
            order_values.margin_rate,
            -- times the expected value of an order day, times what stays of it
            {{
                rounded(
                    "orders.discounted_order_count * order_values.expected_order_amount * order_values.margin_rate",
                    4,
                )
            }}
            as clv_amount,
            case
                when customers.order_day_count = 0
                then 'no order yet'
                when customers.is_left_truncated
                then 'ordered when the data begin: it is not known since when'
                when orders.order_probability is null
                then
                    'orders cannot be predicted: '
                    || coalesce(order_model.not_fitted_reason, 'not fitted')
            end as prediction_missing_reason,
            order_values.value_missing_reason,
            years.yearly_cm3_amount,
            years.yearly_retention_rate,
            years.retention_base_count
        from customers
        left join orders on customers.customer_key = orders.customer_key
        left join order_values on customers.customer_key = order_values.customer_key
        left join years on customers.customer_key = years.customer_key
        left join order_model on true
        left join hidden on customers.customer_key = hidden.customer_key
    ),

    final as (
        select
            *,
            coalesce(
                hidden_reason, prediction_missing_reason
            ) as p_alive_missing_reason,
            coalesce(
                prediction_missing_reason, value_missing_reason
            ) as clv_missing_reason,
            {{
                rounded(
                    "yearly_cm3_amount * "
                    ~ margin_multiple(
                        "yearly_retention_rate", var("yearly_discount_rate")
                    ),
                    4,
                )
            }} as simple_clv_amount,
            case
                when yearly_retention_rate is null
                then
                    'fewer than {{ var("min_base") }} customers are known from the year before last'
                when yearly_cm3_amount is null
                then 'no order, or too few known unit costs, in the last year'
            end as simple_clv_missing_reason
        from joined
    )

select *
from final
