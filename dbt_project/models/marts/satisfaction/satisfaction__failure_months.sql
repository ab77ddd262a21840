{%- set kinds = ["cancelled", "returned", "complained", "failed"] -%}
with
    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    orders as (
        select *
        from {{ ref("int_satisfaction__order_failures") }}
        where base = 'customer'
    ),

    -- a failure that no export of a source has is unknown, also in a quiet month
    sources as (
        select
            source,
            {% for kind in kinds %}
                count(is_{{ kind }}) > 0 as has_{{ kind }},
            {% endfor %}
            count(is_promise_kept) > 0 as has_promised
        from orders
        group by source
    ),

    counted as (
        select
            source,
            month,
            count(*) as order_count,
            {% for kind in kinds %}
                {{ count_where("is_" ~ kind) }} as {{ kind }}_count,
            {% endfor %}
            count(is_promise_kept) as promise_due_count,
            {{ count_where("is_promise_kept") }} as promise_kept_count,
            {{ count_where("not is_promise_kept") }} as late_count
        from orders
        group by source, month
    ),

    filled as (
        select
            sources.source,
            months.month,
            months.is_partial as is_partial_month,
            coalesce(counted.order_count, 0) as order_count,
            {% for kind in kinds %}
                case
                    when sources.has_{{ kind }}
                    then coalesce(counted.{{ kind }}_count, 0)
                end as {{ kind }}_count,
            {% endfor %}
            {% for name in ["promise_due", "promise_kept", "late"] %}
                case
                    when sources.has_promised then coalesce(counted.{{ name }}_count, 0)
                end as {{ name }}_count
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from sources
        cross join months
        left join
            counted on sources.source = counted.source and months.month = counted.month
    ),

    final as (
        select
            source,
            month,
            is_partial_month,
            order_count < {{ var("min_base") }} as is_suppressed,
            {% for name in [
                "cancelled",
                "returned",
                "complained",
                "order",
                "late",
                "failed",
                "promise_due",
                "promise_kept",
            ] %}
                cast({{ name }}_count as bigint) as {{ name }}_count,
            {% endfor %}
            -- the running month's orders have not had time to fail
            {{
                suppress_small_rate(
                    "failure",
                    "case when not is_partial_month then failed_count end",
                    "order_count",
                )
            }},
            {{
                suppress_small_rate(
                    "promise_kept",
                    "case when not is_partial_month then promise_kept_count end",
                    "promise_due_count",
                )
            }}
        from filled
    )

select *
from final
