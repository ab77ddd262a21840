{#
  Orders that a campaign is credited with: those that name it, those in which its coupon was used,
  and, where a redemption names no order, what its customer bought on that day. Credit is no proof:
  part of it would have been bought anyway. An order may be credited to two campaigns.
#}
with
    orders as (select * from {{ ref("fct_orders") }} where is_counted),

    redemptions as (select * from {{ ref("int_programme__redemptions") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    credited as (
        select campaign_key, order_key
        from orders
        where campaign_key is not null
        union
        select campaign_key, order_key
        from redemptions
        where order_key is not null
        union
        select redemptions.campaign_key, orders.order_key
        from redemptions
        inner join
            orders
            on redemptions.customer_key = orders.customer_key
            and redemptions.redeemed_date = orders.order_date
        where redemptions.order_key is null
    ),

    final as (
        select
            {{ made_key(["credited.campaign_key", "credited.order_key"]) }}
            as campaign_order_key,
            credited.campaign_key,
            orders.order_key,
            orders.source,
            orders.customer_key,
            orders.order_date,
            orders.currency_code,
            cast(
                orders.net_amount - orders.refunded_amount as {{ type_amount() }}
            ) as net_amount,
            orders.goods_amount,
            orders.costed_amount,
            cast(coalesce(orders.cost_amount, 0) as {{ type_amount() }}) as cost_amount,
            cast(
                coalesce(orders.shipping_cost_amount, 0)
                + coalesce(orders.payment_fee_amount, 0) as {{ type_amount() }}
            ) as order_cost_amount
        from credited
        inner join orders on credited.order_key = orders.order_key
        cross join as_of
        where orders.order_date <= as_of.as_of
    )

select *
from final
