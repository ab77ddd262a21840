{# The figures a shop is steered by, one a row: a part over a base, or an amount or count by itself. #}
{%- set kpis = [
    ("net_revenue", "net_amount", none),
    ("active_customers", "active_count", none),
    ("new_customers", "new_count", none),
    ("orders", "order_count", none),
    ("orders_per_customer", "order_count", "active_count"),
    ("order_value", "net_amount", "order_count"),
    ("discount_rate", "discount_amount", "gross_amount"),
    ("target_share", "target_count", "target_known_count"),
    ("refunds_per_order", "refund_count", "order_count"),
    ("complaints_per_order", "complaint_count", "order_count"),
    ("satisfaction_index", "index_sum", "index_count"),
    ("recommendation_conversion", "rec_order_count", "rec_shown_count"),
    ("checkout_dropoff", "checkout_lost_count", "checkout_start_count"),
    ("social_per_customer", "social_count", "active_count"),
] -%}
with
    sums as (select * from {{ ref("int_loyalty__kpi_sums") }}),

    long as (
        {% for kpi, part, base in kpis %}
            select
                source,
                month,
                is_partial as is_partial_month,
                '{{ kpi }}' as kpi,
                cast({{ base or "null" }} as {{ type_amount() }}) as base,
                cast(
                    {{ "order_count" if base == "gross_amount" else base or "null" }}
                    as {{ type_amount() }}
                ) as base_count,
                {{ rounded(div(part, base) if base else part, 8) }} as kpi_value
            from sums
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    final as (
        select
            {{ made_key(["source", "month", "kpi"]) }} as kpi_month_key,
            source,
            month,
            is_partial_month,
            kpi,
            base,
            case
                -- a share of an amount rests on the orders behind it
                when base_count < {{ var("min_base") }} then null else kpi_value
            end as kpi_value
        from long
    )

select *
from final
