{# What customers buy: categories ever, and the mean order in the newest trend_months against the same time before. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    orders as (
        select * from {{ ref("fct_orders") }} where is_counted and base = 'customer'
    ),

    categories as (
        -- of goods without a category it is not known
        select customer_key, nullif(count(distinct category), 0) as category_count
        from {{ ref("fct_order_lines") }}
        where is_counted and base = 'customer'
        group by customer_key
    ),

    placed as (
        select
            orders.customer_key,
            orders.net_amount,
            case
                when
                    orders.order_date
                    > {{ add_months("as_of.as_of", -var("trend_months")) }}
                then 'now'
                -- half a window before the data began is no window
                when
                    orders.order_date
                    > {{ add_months("as_of.as_of", -2 * var("trend_months")) }}
                    and {{ add_days("as_of.data_start_date", -1) }}
                    <= {{ add_months("as_of.as_of", -2 * var("trend_months")) }}
                then 'before'
            end as half
        from orders
        cross join as_of
    ),

    summed as (
        select
            customer_key,
            sum(case when half = 'now' then 1 else 0 end) as recent_order_count,
            sum(case when half = 'now' then net_amount end) as recent_amount,
            sum(case when half = 'before' then 1 else 0 end) as earlier_order_count,
            sum(case when half = 'before' then net_amount end) as earlier_amount
        from placed
        group by customer_key
    ),

    final as (
        select
            summed.customer_key,
            cast(categories.category_count as bigint) as category_count,
            cast(summed.recent_order_count as bigint) as recent_order_count,
            {{ rounded(div("summed.recent_amount", "summed.recent_order_count"), 4) }}
            as recent_order_amount,
            cast(summed.earlier_order_count as bigint) as earlier_order_count,
            {{ rounded(div("summed.earlier_amount", "summed.earlier_order_count"), 4) }}
            as earlier_order_amount
        from summed
        left join categories on summed.customer_key = categories.customer_key
    )

select *
from final
