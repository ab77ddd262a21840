{# Orders that went wrong in any way, by month; one that went wrong in three ways is one failed order. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    orders as (
        select *
        from {{ ref("fct_orders") }}
        where
            base = 'customer'
            and kind = 'sale'
            and coalesce(status, 'completed') != 'test'
    ),

    returned as (
        select order_key
        from {{ ref("fct_refunds") }}
        where base != 'after_as_of' and order_key is not null
        group by order_key
    ),

    complained as (
        select tickets.order_key
        from {{ ref("fct_tickets") }} as tickets
        cross join as_of
        where
            tickets.kind = 'complaint'
            and tickets.order_key is not null
            and tickets.opened_date <= as_of.as_of
        group by tickets.order_key
    ),

    judged as (
        select
            orders.order_month as month,
            coalesce(orders.status = 'cancelled', false) as is_cancelled,
            returned.order_key is not null as is_returned,
            complained.order_key is not null as is_complained,
            -- a promise ends with its day; of an order that was cancelled nothing is
            -- due
            case
                when
                    orders.promised_date <= as_of.as_of
                    and coalesce(orders.status, 'completed') != 'cancelled'
                then coalesce(orders.delivered_date <= orders.promised_date, false)
            end as is_promise_kept
        from orders
        cross join as_of
        left join returned on orders.order_key = returned.order_key
        left join complained on orders.order_key = complained.order_key
    ),

    final as (
        select
            month,
            count(*) as order_count,
            {{ count_where("is_cancelled") }} as cancelled_count,
            {{ count_where("is_returned") }} as returned_count,
            {{ count_where("is_complained") }} as complained_count,
            {{ count_where("is_promise_kept is not null") }} as promise_due_count,
            {{ count_where("is_promise_kept") }} as promise_kept_count,
            {{ count_where("not is_promise_kept") }} as late_count,
            {{
                count_where(
                    "is_cancelled or is_returned or is_complained or not coalesce(is_promise_kept, true)"
                )
            }}
            as failed_count
        from judged
        group by month
    )

select *
from final
