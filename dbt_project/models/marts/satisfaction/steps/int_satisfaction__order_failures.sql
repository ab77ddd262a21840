{# What went wrong with an order; empty where the exports of its source do not have a single such failure. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    words as (select * from {{ ref("order_status_words") }}),

    orders as (
        select orders.*, coalesce(words.meaning, 'sale') as meaning
        from {{ ref("fct_orders") }} as orders
        left join words on {{ status_word("orders.status") }} = words.word
        where orders.kind = 'sale' and coalesce(orders.status, 'completed') != 'test'
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
            orders.order_key,
            orders.source,
            orders.base,
            orders.customer_key,
            orders.order_month as month,
            orders.channel,
            orders.meaning = 'no sale' as is_cancelled,
            returned.order_key is not null as is_returned,
            complained.order_key is not null as is_complained,
            -- a promise ends with its day; of an order that was cancelled nothing is
            -- due
            case
                when orders.promised_date <= as_of.as_of and orders.meaning != 'no sale'
                then
                    {{
                        when_delivered(
                            "deliveries",
                            "coalesce(orders.delivered_date <= orders.promised_date, false)",
                        )
                    }}
            end as is_promise_kept
        from orders
        cross join as_of
        left join returned on orders.order_key = returned.order_key
        left join complained on orders.order_key = complained.order_key
        -- what is not paid yet is no sale that could fail
        where orders.meaning != 'pending'
    ),

    known as (
        select
            source,
            {% for name in ["cancelled", "returned", "complained"] %}
                max(case when is_{{ name }} then 1 end) = 1 as has_{{ name }},
            {% endfor %}
            count(is_promise_kept) > 0 as has_promised
        from judged
        where base != 'after_as_of'
        group by source
    ),

    final as (
        select
            judged.order_key,
            judged.source,
            judged.base,
            judged.customer_key,
            judged.month,
            judged.channel,
            {% for name in ["cancelled", "returned", "complained"] %}
                case
                    when known.has_{{ name }} then judged.is_{{ name }}
                end as is_{{ name }},
            {% endfor %}
            judged.is_promise_kept,
            -- an order that failed in three ways is one failed order
            case
                when
                    known.has_cancelled
                    or known.has_returned
                    or known.has_complained
                    or known.has_promised
                then
                    judged.is_cancelled
                    or judged.is_returned
                    or judged.is_complained
                    or not coalesce(judged.is_promise_kept, true)
            end as is_failed
        from judged
        left join known on judged.source = known.source
    )

select *
from final
