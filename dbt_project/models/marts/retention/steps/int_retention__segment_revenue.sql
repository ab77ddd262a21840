{# Months without revenue are months of 0 and count in the variation; the running month does not. #}
{%- set n = var("variation_months") -%}
with
    segments as (select * from {{ ref("dim_customer_segments") }}),

    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    customers as (select * from {{ ref("dim_customers") }} where base = 'customer'),

    orders as (
        select * from {{ ref("fct_orders") }} where is_counted and base = 'customer'
    ),

    parts as (
        select
            segments.segment_by,
            segments.segment,
            min(customers.currency_code) as currency_code
        from segments
        inner join customers on segments.customer_key = customers.customer_key
        group by segments.segment_by, segments.segment
        -- amounts of several currencies are not added up
        having min(customers.currency_code) = max(customers.currency_code)
    ),

    sold as (
        select
            segments.segment_by,
            segments.segment,
            orders.order_month,
            sum(orders.net_amount) as order_amount,
            sum(
                case
                    when orders.order_date > customers.first_order_date
                    then orders.net_amount
                    else 0
                end
            ) as repeat_amount
        from orders
        inner join customers on orders.customer_key = customers.customer_key
        inner join segments on orders.customer_key = segments.customer_key
        group by segments.segment_by, segments.segment, orders.order_month
    ),

    sales as (
        select
            parts.segment_by,
            parts.segment,
            parts.currency_code,
            months.month,
            months.is_partial,
            {% for name in ["order_amount", "repeat_amount"] %}
                {{
                    when_delivered(
                        "customer_orders",
                        "cast(coalesce(sold."
                        ~ name
                        ~ ", 0) as "
                        ~ type_amount()
                        ~ ")",
                    )
                }} as {{ name }} {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from parts
        cross join months
        left join
            sold
            on parts.segment_by = sold.segment_by
            and parts.segment = sold.segment
            and months.month = sold.order_month
    ),

    spread as (
        select
            *,
            count(*) over newest as month_count,
            sum(order_amount) over newest as amount_sum,
            sum({{ amount_product("order_amount", "order_amount") }}) over newest
            as square_sum
        from sales
        window
            newest as (
                partition by segment_by, segment
                order by month rows between {{ n - 1 }} preceding and current row
            )
    ),

    final as (
        select
            {{ made_key(["segment_by", "segment", "month"]) }} as segment_month_key,
            segment_by,
            segment,
            month,
            currency_code,
            order_amount,
            repeat_amount,
            -- sample standard deviation over mean
            case
                when month_count = {{ n }} and not is_partial and amount_sum > 0
                then
                    sqrt(
                        greatest(
                            {{
                                div(
                                    n
                                    ~ " * square_sum - "
                                    ~ amount_product("amount_sum", "amount_sum"),
                                    n * (n - 1),
                                )
                            }},
                            0
                        )
                    )
                    / {{ div("amount_sum", n) }}
            end as revenue_cv
        from spread
    )

select *
from final
