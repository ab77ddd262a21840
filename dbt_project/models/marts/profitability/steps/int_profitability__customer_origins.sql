{# How a customer began: the source, the category and the price of the first order day. Customers who were there when the data began are left out. #}
with
    customers as (
        select *
        from {{ ref("dim_customers") }}
        where
            base = 'customer' and first_order_date is not null and not is_left_truncated
    ),

    orders as (select * from {{ ref("fct_orders") }} where is_counted),

    lines as (select * from {{ ref("fct_order_lines") }} where is_counted),

    discounts as (
        select customers.customer_key, sum(orders.discount_amount) as discount_amount
        from customers
        inner join
            orders
            on customers.customer_key = orders.customer_key
            and customers.first_order_date = orders.order_date
        group by customers.customer_key
    ),

    categories as (
        select
            customers.customer_key,
            coalesce(lines.category, 'unknown') as category,
            row_number() over (
                partition by customers.customer_key
                order by sum(lines.net_amount) desc, coalesce(lines.category, 'unknown')
            ) as place
        from customers
        inner join
            lines
            on customers.customer_key = lines.customer_key
            and customers.first_order_date = lines.order_date
        group by customers.customer_key, coalesce(lines.category, 'unknown')
    ),

    final as (
        select
            customers.customer_key,
            customers.currency_code,
            customers.first_order_month as cohort_month,
            customers.acquisition_campaign_key,
            coalesce(customers.acquisition_source, 'unknown') as acquisition_source,
            coalesce(categories.category, 'unknown') as first_category,
            case
                when discounts.discount_amount > 0
                then 'with discount'
                else 'at full price'
            end as first_discount
        from customers
        left join discounts on customers.customer_key = discounts.customer_key
        left join
            categories
            on customers.customer_key = categories.customer_key
            and categories.place = 1
    )

select *
from final
