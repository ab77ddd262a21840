{# Orders to come, scored from the fitted models; weeks since the first order, the day is the unit of an order. #}
with
    histories as (
        select *
        from {{ ref("fct_order_histories") }}
        where fit_window = 'all' and not is_left_truncated
    ),

    windows as (select * from {{ ref("dim_fit_windows") }} where fit_window = 'all'),

    parameters as (select * from {{ source("estimates", "parameters") }}),

    expectations as (select * from {{ source("estimates", "order_expectations") }}),

    -- one row with the parameters of both models; empty where a model is not fitted
    fitted as (
        select
            {% for model, prefix in [("bgnbd", ""), ("mbgnbd", "m_")] %}
                {% set model_loop = loop %}
                {% for parameter in ["r", "alpha", "a", "b"] %}
                    max(
                        case
                            when model = '{{ model }}' and parameter = '{{ parameter }}'
                            then value
                        end
                    ) as {{ prefix }}{{ parameter }}
                    {%- if not (loop.last and model_loop.last) %}, {% endif %}
                {% endfor %}
            {% endfor %}
        from parameters
        where scope = 'all'
    ),

    timed as (
        select
            histories.*,
            fitted.*,
            expectations.expected_order_count,
            expectations.clv_order_count,
            expectations.discounted_order_count,
            {{ div("histories.recency_days", 7) }} as recency_weeks,
            {{ div("histories.age_days", 7) }} as age_weeks,
            {{ div("windows.horizon_days", 7) }} as horizon_weeks
        from histories
        cross join windows
        cross join fitted
        left join expectations using (repeat_day_count, recency_days, age_days)
    ),

    final as (
        select
            customer_key,
            repeat_day_count,
            recency_days,
            age_days,
            cast(
                case
                    when m_r is not null
                    then {{ p_alive("(repeat_day_count + 1)", "m_") }}
                end as decimal(18, 8)
            ) as p_alive,
            -- P(alive) here is BG/NBD's own: 1 for who has not come back yet
            {{
                rounded(
                    "case when r is not null then "
                    ~ p_alive("repeat_day_count")
                    ~ " * (1 - exp((r + repeat_day_count)"
                    ~ " * ln((alpha + age_weeks) / (alpha + age_weeks + horizon_weeks)))) end",
                    8,
                )
            }}
            as order_probability,
            expected_order_count,
            clv_order_count,
            discounted_order_count
        from timed
    )

select *
from final
