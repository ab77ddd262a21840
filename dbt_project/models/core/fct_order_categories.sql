{# Counted orders by what was bought: promotions, add-ons, new products, and what could not be delivered. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    products as (select * from {{ ref("dim_products") }}),

    lines as (
        select * from {{ ref("fct_order_lines") }} where is_counted and quantity >= 0
    ),

    first_sales as (
        select product_key, min(order_date) as first_sale_date
        from lines
        group by product_key
    ),

    -- order lines with add-ons marked, and for how long the product has been sold
    described as (
        select
            lines.*,
            coalesce(products.product_type, 'good')
            in ('add_on', 'service') as is_add_on,
            -- a first sale is only known to be one after a whole such period of data
            case
                when products.launched_date is not null
                then {{ days_between("products.launched_date", "lines.order_date") }}
                when
                    lines.order_date
                    >= {{ add_days("as_of.data_start_date", var("offer_new_days")) }}
                then
                    {{
                        days_between(
                            "first_sales.first_sale_date", "lines.order_date"
                        )
                    }}
            end as product_days
        from lines
        cross join as_of
        left join products on lines.product_version_key = products.product_version_key
        left join first_sales on lines.product_key = first_sales.product_key
        where lines.order_date <= as_of.as_of
    ),

    orders as (
        select orders.*
        from {{ ref("fct_orders") }} as orders
        cross join as_of
        where orders.is_counted and orders.order_date <= as_of.as_of
    ),

    of_lines as (
        select
            order_key,
            source,
            base,
            currency_code,
            order_date,
            coalesce(category, 'unknown') as category,
            count(*) as line_count,
            sum(gross_amount) as gross_amount,
            sum(net_amount) as net_amount,
            sum(
                case when discount_amount > 0 then net_amount else 0 end
            ) as promoted_amount,
            count(case when is_add_on then 1 end) as add_on_line_count,
            sum(
                case when product_days is not null then net_amount else 0 end
            ) as aged_amount,
            sum(
                case
                    when product_days < {{ var("offer_new_days") }}
                    then net_amount
                    else 0
                end
            ) as new_amount,
            sum(
                case when fulfilled_quantity is not null then quantity else 0 end
            ) as asked_quantity,
            sum(
                case
                    when fulfilled_quantity is not null
                    then least(fulfilled_quantity, quantity)
                    else 0
                end
            ) as filled_quantity,
            count(fulfilled_quantity) as asked_line_count,
            count(
                case when fulfilled_quantity < quantity then 1 end
            ) as short_line_count
        from described
        group by
            order_key,
            source,
            base,
            currency_code,
            order_date,
            coalesce(category, 'unknown')
    ),

    together as (
        select *
        from of_lines
        union all
        -- an order without lines bought something unknown
        select
            order_key,
            source,
            base,
            currency_code,
            order_date,
            'unknown',
            0,
            gross_amount,
            goods_amount,
            case when discount_amount > 0 then goods_amount else 0 end,
            0,
            0,
            0,
            0,
            0,
            0,
            0
        from orders
        where not has_lines
    ),

    final as (select *, {{ month_start("order_date") }} as month from together)

select *
from final
