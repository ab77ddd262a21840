{# Some buy to sell on: lines of many times the usual (median) quantity of their product, on several days. #}
with
    lines as (
        select *
        from {{ ref("fct_order_lines") }}
        where is_counted and base = 'customer' and quantity > 0
    ),

    quantities as (
        select product_key, quantity, count(*) as line_count
        from lines
        group by product_key, quantity
    ),

    cumulated as (
        select
            product_key,
            quantity,
            sum(line_count) over (
                partition by product_key
                order by quantity
                rows between unbounded preceding and current row
            ) as lines_so_far,
            sum(line_count) over (partition by product_key) as line_count
        from quantities
    ),

    usual as (
        select product_key, min(quantity) as usual_quantity
        from cumulated
        where 2 * lines_so_far >= line_count
        group by product_key
    ),

    bulk_lines as (
        select lines.customer_key, lines.order_date, lines.net_amount
        from lines
        inner join usual on lines.product_key = usual.product_key
        where
            lines.quantity >= {{ var("reseller_bulk_multiple") }} * usual.usual_quantity
    ),

    bulk as (
        select
            customer_key,
            count(distinct order_date) as bulk_day_count,
            sum(net_amount) as bulk_amount
        from bulk_lines
        group by customer_key
    ),

    goods as (
        select customer_key, sum(net_amount) as goods_amount
        from lines
        group by customer_key
    ),

    final as (
        select
            goods.customer_key,
            coalesce(bulk.bulk_day_count, 0) as bulk_day_count,
            coalesce(bulk.bulk_amount, 0) as bulk_amount,
            goods.goods_amount,
            coalesce(
                bulk.bulk_day_count >= {{ var("reseller_bulk_days") }}
                and {{ div("bulk.bulk_amount", "goods.goods_amount") }}
                >= {{ var("reseller_bulk_share") }},
                false
            ) as is_reseller_suspected
        from goods
        left join bulk on goods.customer_key = bulk.customer_key
    )

select *
from final
