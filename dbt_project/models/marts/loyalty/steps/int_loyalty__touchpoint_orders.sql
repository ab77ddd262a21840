{# Orders with each place, carrier and partner they went through, and what went wrong. #}
with
    orders as (
        select * from {{ ref("fct_orders") }} where is_counted or status = 'cancelled'
    ),

    as_of as (select * from {{ ref("dim_as_of") }}),

    lines as (select * from {{ ref("fct_order_lines") }}),

    products as (select * from {{ ref("dim_products") }}),

    complaints as (
        select distinct order_key
        from {{ ref("fct_tickets") }}
        where kind = 'complaint' and order_key is not null
    ),

    answers as (select * from {{ ref("fct_order_satisfaction") }}),

    -- without a single refund of an order it is not known what was sent back
    refunds as (select count(order_key) > 0 as is_known from {{ ref("fct_refunds") }}),

    partners as (
        select distinct order_key, 'seller' as touchpoint_by, seller_id as touchpoint
        from lines
        where seller_id is not null
        union all
        select distinct lines.order_key, 'supplier', products.supplier_id
        from lines
        inner join products on lines.product_version_key = products.product_version_key
        where products.supplier_id is not null
        {% for name in ["channel", "store", "carrier", "dealer"] %}
                {%- set column = (
                    name if name in ["channel", "carrier"] else name ~ "_id"
                ) %}
            union all
            select order_key, '{{ name }}', {{ column }}
            from orders
            where {{ column }} is not null
        {% endfor %}
    ),

    judged as (
        select
            orders.order_key,
            orders.source,
            orders.order_month as month,
            orders.status = 'cancelled' as is_cancelled,
            coalesce(orders.refunded_amount > 0, false) as is_returned,
            -- a promise ends with its local day; what is not there then is late
            case
                when
                    coalesce(orders.status, 'completed') <> 'cancelled'
                    and orders.promised_date <= as_of.as_of
                then
                    {{
                        when_delivered(
                            "deliveries",
                            "coalesce(orders.delivered_date > orders.promised_date, true)",
                        )
                    }}
            end as is_late,
            complaints.order_key is not null as is_complained,
            answers.index_sum,
            answers.index_count,
            answers.index_square_sum
        from orders
        cross join as_of
        left join complaints on orders.order_key = complaints.order_key
        left join answers on orders.order_key = answers.order_key
        where orders.order_date <= as_of.as_of
    ),

    final as (
        select
            judged.source,
            judged.month,
            partners.touchpoint_by,
            partners.touchpoint,
            count(*) as order_count,
            count(judged.is_late) as promised_count,
            count(case when judged.is_late then 1 end) as late_count,
            count(case when refunds.is_known then 1 end) as returnable_count,
            count(case when judged.is_returned then 1 end) as returned_count,
            -- an order counts once, whatever went wrong with it
            count(
                case
                    when
                        judged.is_cancelled
                        or judged.is_returned
                        or coalesce(judged.is_late, false)
                        or judged.is_complained
                    then 1
                end
            ) as failed_count,
            sum(judged.index_count) as score_count,
            sum(judged.index_sum) as score_sum,
            sum(judged.index_square_sum) as score_square_sum
        from judged
        cross join refunds
        inner join partners on judged.order_key = partners.order_key
        group by
            judged.source, judged.month, partners.touchpoint_by, partners.touchpoint
    )

select *
from final
