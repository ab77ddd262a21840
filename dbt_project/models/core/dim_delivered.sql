with
    loads as (select * from {{ source("raw", "loads") }}),

    orders as (select * from {{ ref("stg_orders__orders") }}),

    totals as (select * from {{ ref("int_orders__totals") }}),

    lines as (select * from {{ ref("stg_order_lines__lines") }}),

    products as (select * from {{ ref("stg_products__versions") }}),

    named as (
        select feed as what
        from loads
        union all
        select 'scores'
        from loads
        where feed in ('survey_responses', 'survey_answers', 'survey_questions')
        having count(distinct feed) = 3
        union all
        -- goods taken back are told by documents of the feed orders as well
        select 'refunds'
        from totals
        where is_return
        union all
        select 'refunds'
        from lines
        where quantity < 0 or net_amount < 0
        union all
        select 'deliveries'
        from orders
        where delivered_at is not null
        union all
        select 'shipping_charges'
        from orders
        where shipping_amount is not null
        union all
        select 'shipping_costs'
        from orders
        where shipping_cost_amount is not null
        union all
        select 'payment_fees'
        from orders
        where payment_fee_amount is not null
        union all
        select 'discounts'
        from orders
        where discount_amount is not null or gross_amount is not null
        union all
        select 'discounts'
        from lines
        where discount_amount is not null or list_price is not null
        union all
        select 'goods_costs'
        from lines
        where cost_amount is not null
        union all
        select 'goods_costs'
        from products
        where unit_cost is not null
    ),

    final as (select what from named group by what)

select *
from final
