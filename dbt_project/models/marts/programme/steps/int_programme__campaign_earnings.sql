{# Amounts in the reporting currency; orders in another are left out. #}
with
    scopes as (select * from {{ ref("int_programme__campaign_scopes") }}),

    orders as (select * from {{ ref("int_programme__campaign_orders") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    -- an order of two campaigns is one order of all of them
    distinct_orders as (
        select distinct
            scopes.scope_key,
            orders.order_key,
            orders.currency_code,
            orders.net_amount,
            orders.goods_amount,
            orders.costed_amount,
            orders.cost_amount,
            orders.order_cost_amount
        from scopes
        inner join orders on scopes.campaign_key = orders.campaign_key
    ),

    final as (
        select
            distinct_orders.scope_key,
            count(*) as order_count,
            sum(net_amount) as net_amount,
            sum(goods_amount) as goods_amount,
            sum(costed_amount) as costed_amount,
            sum(net_amount - cost_amount - order_cost_amount) as margin_amount
        from distinct_orders
        inner join
            as_of on distinct_orders.currency_code = as_of.reporting_currency_code
        group by distinct_orders.scope_key
    )

select *
from final
