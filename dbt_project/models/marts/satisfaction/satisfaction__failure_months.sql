with
    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

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

    -- without a single cancelled order, refund or complaint on record it is unknown
    -- whether the exports hold them
    known as (
        select
            max(case when status = 'cancelled' then 1 end) = 1 as has_cancelled,
            (select count(*) from returned) > 0 as has_returned,
            (select count(*) from complained) > 0 as has_complained
        from orders
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

    -- an order that failed in three ways is one failed order
    counted as (
        select
            month,
            count(*) as order_count,
            {% for name in ["cancelled", "returned", "complained"] %}
                case
                    when max(case when known.has_{{ name }} then 1 end) = 1
                    then {{ count_where("judged.is_" ~ name) }}
                end as {{ name }}_count,
            {% endfor %}
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
        cross join known
        group by month
    ),

    final as (
        select
            months.month,
            months.is_partial as is_partial_month,
            coalesce(counted.order_count, 0) < {{ var("min_base") }} as is_suppressed,
            -- a failure that no export tells of is unknown, also in a quiet month
            {% for name in ["cancelled", "returned", "complained"] %}
                cast(
                    case
                        when max(counted.{{ name }}_count) over () is not null
                        then coalesce(counted.{{ name }}_count, 0)
                    end as bigint
                ) as {{ name }}_count,
            {% endfor %}
            {% for name in [
                "order",
                "late",
                "failed",
                "promise_due",
                "promise_kept",
            ] %}
                cast(
                    coalesce(counted.{{ name }}_count, 0) as bigint
                ) as {{ name }}_count,
            {% endfor %}
            -- the running month's orders have not had time to fail
            {{
                suppress_small_rate(
                    "failure",
                    "case when not months.is_partial then counted.failed_count end",
                    "counted.order_count",
                )
            }},
            {{
                suppress_small_rate(
                    "promise_kept",
                    "case when not months.is_partial then counted.promise_kept_count end",
                    "counted.promise_due_count",
                )
            }}
        from months
        left join counted on months.month = counted.month
    )

select *
from final
