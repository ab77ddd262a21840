with
    as_of as (select * from {{ ref("dim_as_of") }}),

    alerts as (select * from {{ ref("int_loyalty__signal_alerts") }}),

    warnings as (select * from {{ ref("int_loyalty__lapse_warnings") }}),

    gaps as (select * from {{ ref("fct_order_gaps") }}),

    days as (
        select as_of, {{ add_days("as_of", -var("warning_days")) }} as start_date
        from as_of
    ),

    -- how many lapse in so many days without looking at any signal, also after
    -- orders of those days
    active as (
        select
            count(distinct gaps.customer_key) as active_count,
            count(distinct lapses.customer_key) as lapsed_count
        from gaps
        cross join days
        left join
            gaps as lapses
            on gaps.customer_key = lapses.customer_key
            and lapses.lapse_date > days.start_date
            and lapses.lapse_date <= days.as_of
        where
            gaps.order_date <= days.start_date
            and coalesce(gaps.next_order_date, {{ add_days("days.as_of", 1) }})
            > days.start_date
            and {{ add_days("gaps.order_date", var("churn_days")) }} > days.start_date
    ),

    precise as (
        select
            signal,
            count(*) as alert_count,
            count(lapse_date) as lapsed_count,
            {{ div("count(lapse_date)", "count(*)") }} as lapse_rate
        from alerts
        where is_observed
        group by signal
    ),

    recalled as (
        select
            signal,
            count(*) as lapse_count,
            count(first_signal_date) as warned_count,
            {{ div("count(first_signal_date)", "count(*)") }} as warned_rate,
            {{ percentile("lead_days", 0.5) }} as median_lead_days
        from warnings
        group by signal
    ),

    signals as (
        select signal
        from alerts
        union
        select signal
        from warnings
    ),

    final as (
        select
            signals.signal,
            cast({{ var("warning_days") }} as bigint) as warning_day_count,
            coalesce(cast(precise.alert_count as bigint), 0) as alert_count,
            coalesce(cast(precise.lapsed_count as bigint), 0) as alert_lapsed_count,
            {{
                suppress_small_rate(
                    "precision", "precise.lapsed_count", "precise.alert_count"
                )
            }},
            cast(active.active_count as bigint) as active_count,
            {{ suppress_small_mean("active.lapsed_count", "active.active_count") }}
            as usual_lapse_rate,
            coalesce(cast(recalled.lapse_count as bigint), 0) as lapse_count,
            coalesce(cast(recalled.warned_count as bigint), 0) as warned_count,
            {{
                suppress_small_rate(
                    "recall", "recalled.warned_count", "recalled.lapse_count"
                )
            }},
            {{ suppress_small("recalled.median_lead_days", "recalled.warned_count") }}
            as median_lead_days,
            coalesce(precise.alert_count, 0) < {{ var("min_base") }}
            or coalesce(recalled.lapse_count, 0)
            < {{ var("min_base") }} as is_suppressed
        from signals
        cross join active
        left join precise on signals.signal = precise.signal
        left join recalled on signals.signal = recalled.signal
    )

select *
from final
