{# Every month up to the as-of date's, whether anything happened in it or not. #}
with
    segments as (select * from {{ ref("dim_customer_segments") }}),

    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    customer_months as (
        select *
        from {{ ref("fct_customer_months") }}
        where base = 'customer' and order_count > 0
    ),

    gaps as (select * from {{ ref("fct_order_gaps") }}),

    -- the months in which customers were won, bought a second time, lapsed, came back
    events as (
        select customer_key, 'new' as kind, {{ month_start("order_date") }} as month
        from gaps
        where order_day_number = 1
        union all
        select customer_key, 'second' as kind, {{ month_start("order_date") }} as month
        from gaps
        where order_day_number = 2
        union all
        -- two orders on one day are a second order, but no second day
        select
            customer_key,
            'second_order' as kind,
            {{
                month_start(
                    "case when order_count > 1 then order_date else next_order_date end"
                )
            }} as month
        from gaps
        where order_day_number = 1 and (order_count > 1 or is_closed)
        union all
        select customer_key, 'lapsed' as kind, {{ month_start("lapse_date") }} as month
        from gaps
        where lapse_date is not null
        union all
        select
            customer_key,
            'reactivated' as kind,
            {{ month_start("next_order_date") }} as month
        from gaps
        where lapse_date is not null and is_closed
    ),

    -- whether there was an order in each of the newest stable_months up to a month
    active_months as (
        select
            base_key as customer_key,
            month,
            coalesce(
                lag(month, {{ var("stable_months") - 1 }}) over (
                    partition by base_key order by month
                )
                = {{ add_months("month", 1 - var("stable_months")) }},
                false
            ) as is_stable
        from customer_months
    ),

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
                {{
                    when_delivered(
                        "customer_orders",
                        "cast(coalesce("
                        ~ table
                        ~ "."
                        ~ name
                        ~ "_count, 0) as bigint)",
                    )
                }} as {{ name }}_count {%- if not loop.last %}, {% endif %}
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
