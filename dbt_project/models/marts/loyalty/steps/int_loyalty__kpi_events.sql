{# What an event export tells of a month: recommendations shown and followed, checkouts begun and done, social contacts. #}
with
    events as (select * from {{ ref("int_loyalty__events") }}),

    as_of as (select * from {{ ref("dim_as_of") }}),

    final as (
        select
            events.source,
            {{ month_start("events.occurred_date") }} as month,
            {% for kind in ["rec_shown", "checkout_start", "checkout_done", "social"] %}
                sum(
                    case when events.kind = '{{ kind }}' then events.event_count end
                ) as {{ kind }}_count,
            {% endfor %}
            -- an order counts once, however often a recommendation was followed
            count(
                distinct case when events.kind = 'rec_click' then events.order_key end
            ) as rec_order_count
        from events
        inner join as_of on events.occurred_date <= as_of.as_of
        group by events.source, {{ month_start("events.occurred_date") }}
    )

select *
from final
