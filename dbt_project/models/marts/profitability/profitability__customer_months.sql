with
    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    months as (
        select base_key, base, currency_code, month, {{ customer_day_sums("days") }}
        from {{ ref("fct_customer_days") }} as days
        group by base_key, base, currency_code, month
    ),

    calendar as (select * from {{ ref("dim_months") }}),

    basis as (select * from {{ ref("dim_cost_basis") }}),

    stepped as (select *, {{ waterfall_steps() }} from months),

    final as (
        select
            stepped.base_key as customer_key,
            stepped.month,
            coalesce(calendar.is_partial, false) as is_partial_month,
            customers.customer_id,
            customers.source,
            stepped.base,
            {% for name in ["order_count", "kept_order_count"] %}
                {{ zero_when_delivered("customer_orders", "stepped." ~ name) }}
                as {{ name }},
            {% endfor %}
            stepped.currency_code,
            -- half a month's margin is compared with no whole one's
            {{
                waterfall_columns(
                    "stepped",
                    is_rated="not coalesce(calendar.is_partial or calendar.is_after_as_of, false)",
                )
            }},
            basis.cost_basis
        from stepped
        cross join basis
        left join calendar on stepped.month = calendar.month
        left join customers on stepped.base_key = customers.customer_key
    )

select *
from final
