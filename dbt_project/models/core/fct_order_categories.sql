{# Counted orders by what was bought: promotions, add-ons, new products, and what could not be delivered. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    described as (select * from {{ ref("int_programme__offer_lines") }}),

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
