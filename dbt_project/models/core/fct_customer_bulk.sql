{# Some buy to sell on: lines of many times the usual quantity of their product, on several days. #}
with
    lines as (
        select *
        from {{ ref("fct_order_lines") }}
        where is_counted and base = 'customer' and quantity > 0
    ),

    usual as (
        select product_key, {{ percentile("quantity", 0.5) }} as usual_quantity
        from lines
        group by product_key
    ),

    marked as (
        select
            lines.customer_key,
            lines.order_date,
            lines.net_amount,
            cast(lines.quantity as {{ type_double() }})
            >= {{ var("reseller_bulk_multiple") }} * usual.usual_quantity as is_bulk
        from lines
        inner join usual on lines.product_key = usual.product_key
    ),

    final as (
        select
            customer_key,
            count(distinct case when is_bulk then order_date end) as bulk_day_count,
            sum(case when is_bulk then net_amount else 0 end) as bulk_amount,
            sum(net_amount) as goods_amount,
            count(distinct case when is_bulk then order_date end)
            >= {{ var("reseller_bulk_days") }}
            and coalesce(
                {{
                    div(
                        "sum(case when is_bulk then net_amount else 0 end)",
                        "sum(net_amount)",
                    )
                }}
                >= {{ var("reseller_bulk_share") }},
                false
            ) as is_reseller_suspected
        from marked
        group by customer_key
    )

select *
from final
