with
    customers as (select * from {{ ref("dim_customers") }}),

    retention as (select * from {{ ref("fct_customer_retention") }}),

    scores as (select * from {{ ref("dim_customer_scores") }}),

    predictions as (select * from {{ ref("fct_customer_predictions") }}),

    results as (select * from {{ ref("fct_survey_results") }}),

    final as (
        select
            retention.customer_key,
            customers.customer_id,
            retention.source,
            scores.stage,
            scores.tier,
            retention.is_left_truncated,
            retention.first_order_date,
            retention.last_order_date,
            retention.tenure_days,
            retention.span_days,
            retention.recency_days,
            {% for name in ["order_count", "order_day_count"] %}
                {{ when_delivered("customer_orders", "retention." ~ name) }}
                as {{ name }},
            {% endfor %}
            {%- for name in ["orders_per_30_days", "order_days_per_30_days"] %}
                cast(retention.{{ name }} as {{ type_double() }}) as {{ name }},
            {%- endfor %}
            retention.order_gap_count,
            {%- for name in [
                "median_order_gap_days",
                "mean_order_gap_days",
                "order_gap_cv",
            ] %}
                cast(retention.{{ name }} as {{ type_double() }}) as {{ name }},
            {%- endfor %}
            retention.is_regular,
            cast(retention.silence_ratio as {{ type_double() }}) as silence_ratio,
            retention.order_gap_trend_s,
            cast(
                retention.order_gap_trend_p_value as {{ type_double() }}
            ) as order_gap_trend_p_value,
            retention.fading_sign,
            retention.is_fading,
            retention.is_active,
            retention.is_lapsed,
            retention.lapse_count,
            retention.first_lapse_date,
            retention.is_reactivated,
            retention.reactivation_count,
            retention.reactivated_date,
            retention.active_month_count,
            retention.month_count,
            cast(retention.stickiness_rate as {{ type_double() }}) as stickiness_rate,
            retention.currency_code,
            cast(retention.net_amount as {{ type_amount() }}) as net_amount,
            cast(
                retention.window_net_amount as {{ type_amount() }}
            ) as window_net_amount,
            retention.is_heavy_buyer,
            retention.recency_score,
            retention.frequency_score,
            retention.monetary_score,
            retention.rfm_segment,
            retention.category_count,
            retention.recent_order_amount,
            retention.earlier_order_amount,
            cast(
                retention.order_value_growth_rate as {{ type_double() }}
            ) as order_value_growth_rate,
            cast(
                results.repurchase_probability as {{ type_double() }}
            ) as stated_repurchase_rate,
            results.repurchase_band as stated_band,
            {%- for name in ["p_alive", "order_probability", "expected_order_count"] %}
                cast(predictions.{{ name }} as {{ type_double() }}) as {{ name }},
            {%- endfor %}
            predictions.p_alive_missing_reason,
            predictions.order_model,
            predictions.order_model_verdict,
            predictions.order_probability_band,
            predictions.prediction_missing_reason
        from retention
        inner join customers on retention.customer_key = customers.customer_key
        inner join scores on retention.customer_key = scores.customer_key
        left join predictions on retention.customer_key = predictions.customer_key
        left join results on scores.response_key = results.response_key
    )

select *
from final
