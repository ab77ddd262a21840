with
    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    counted as (select * from {{ ref("int_satisfaction__failure_months") }}),

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
                shown_rate(
                    "failure",
                    "case when not months.is_partial then counted.failed_count end",
                    "counted.order_count",
                )
            }},
            {{
                shown_rate(
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
