{% set counts = [
    "order_count",
    "kept_order_count",
    "order_day_count",
    "uncosted_line_count",
] %}
{% set amounts = [
    "gross_amount",
    "discount_amount",
    "goods_amount",
    "shipping_amount",
    "refund_amount",
    "sold_cost_amount",
    "returned_cost_amount",
    "costed_amount",
] %}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    months as (select * from {{ ref("dim_months") }}),

    customers as (select * from {{ ref("dim_customers") }}),

    activity as (select * from {{ ref("fct_customer_months") }}),

    -- months of costs alone before the first order are no months of a customer
    starts as (
        select
            base_key,
            base,
            currency_code,
            -- goods taken back before the first order, whose sale is older than the
            -- data,
            -- begin no customer
            coalesce(
                min(case when order_count > 0 or booked_order_count > 0 then month end),
                min(month)
            ) as first_month,
            min(month) as start_month,
            max(month) as last_month
        from activity
        where order_count > 0 or booked_order_count > 0 or refund_count > 0
        group by base_key, base, currency_code
    ),

    spine as (
        select
            starts.base_key,
            starts.base,
            starts.currency_code,
            starts.first_month,
            months.month,
            months.is_partial,
            months.is_after_as_of,
            {% for name in counts %}
                coalesce(activity.{{ name }}, 0) as {{ name }},
            {% endfor %}
            {% for name in amounts %}
                cast(
                    coalesce(activity.{{ name }}, 0) as {{ type_amount() }}
                ) as {{ name }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from starts
        cross join as_of
        inner join
            months
            on months.month >= starts.start_month
            and months.month <= greatest(starts.last_month, as_of.as_of)
        left join
            activity
            on starts.base_key = activity.base_key
            and months.month = activity.month
    ),

    final as (
        select
            spine.base_key as customer_key,
            customers.customer_id,
            customers.source,
            spine.base,
            spine.month,
            spine.first_month,
            {{ months_between("spine.first_month", "spine.month") }} as month_number,
            spine.is_partial as is_partial_month,
            case
                when
                    spine.base = 'customer'
                    and not spine.is_partial
                    and not spine.is_after_as_of
                then spine.order_count > 0
            end as is_active,
            {% for name in ["order_count", "kept_order_count", "order_day_count"] %}
                {{
                    zero_when_delivered(
                        "customer_orders", "cast(spine." ~ name ~ " as bigint)"
                    )
                }} as {{ name }},
            {% endfor %}
            spine.currency_code,
            {% for name, what in [
                ("gross_amount", "customer_orders"),
                ("discount_amount", ["customer_orders", "discounts"]),
                ("shipping_amount", ["customer_orders", "shipping_charges"]),
                ("refund_amount", ["customer_orders", "customer_refunds"]),
            ] %}
                {{ zero_when_delivered(what, "spine." ~ name) }} as {{ name }},
            {% endfor %}
            {{ waterfall("net", "spine") }} as net_amount,
            {{ waterfall("cm1", "spine") }} as margin_amount,
            {{ div("spine.costed_amount", "spine.goods_amount") }} as cost_coverage_rate
        from spine
        left join customers on spine.base_key = customers.customer_key
    )

select *
from final
