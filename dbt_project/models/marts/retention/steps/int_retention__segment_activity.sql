{# Every month up to the as-of date's, whether anything happened in it or not. #}
with
    segments as (select * from {{ ref("dim_customer_segments") }}),

    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    events as (select * from {{ ref("int_retention__events") }}),

    active_months as (select * from {{ ref("int_retention__active_months") }}),

    spine as (
        select parts.segment_by, parts.segment, months.month, months.is_partial
        from (select distinct segment_by, segment from segments) as parts
        cross join months
    ),

    changes as (
        select
            segments.segment_by,
            segments.segment,
            events.month,
            {%- for kind in [
                "new",
                "second",
                "second_order",
                "lapsed",
                "reactivated",
            ] %}
                sum(
                    case when events.kind = '{{ kind }}' then 1 else 0 end
                ) as {{ kind }}_count
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        from events
        inner join segments on events.customer_key = segments.customer_key
        group by segments.segment_by, segments.segment, events.month
    ),

    active as (
        select
            segments.segment_by,
            segments.segment,
            active_months.month,
            count(*) as ordering_count,
            sum(case when active_months.is_stable then 1 else 0 end) as stable_count
        from active_months
        inner join segments on active_months.customer_key = segments.customer_key
        group by segments.segment_by, segments.segment, active_months.month
    ),

    joined as (
        select
            spine.*,
            {%- for table, name in [
                ("changes", "new"),
                ("changes", "second"),
                ("changes", "second_order"),
                ("changes", "lapsed"),
                ("changes", "reactivated"),
                ("active", "ordering"),
                ("active", "stable"),
            ] %}
                cast(
                    coalesce({{ table }}.{{ name }}_count, 0) as bigint
                ) as {{ name }}_count
                {%- if not loop.last %}, {% endif %}
            {%- endfor %}
        from spine
        left join changes using (segment_by, segment, month)
        left join active using (segment_by, segment, month)
    ),

    running as (
        select
            {{ made_key(["segment_by", "segment", "month"]) }} as segment_month_key,
            *,
            cast(sum(new_count) over so_far as bigint) as customer_count,
            cast(sum(second_count) over so_far as bigint) as repeat_customer_count,
            cast(
                sum(second_order_count) over so_far as bigint
            ) as repeat_order_customer_count,
            cast(
                sum(new_count + reactivated_count - lapsed_count) over so_far as bigint
            ) as active_end_count
        from joined
        window so_far as (partition by segment_by, segment order by month)
    ),

    opened as (
        select
            *,
            active_end_count
            + lapsed_count
            - new_count
            - reactivated_count as active_start_count
        from running
    ),

    final as (
        select *, customer_count - new_count - active_start_count as lapsed_start_count
        from opened
    )

select *
from final
