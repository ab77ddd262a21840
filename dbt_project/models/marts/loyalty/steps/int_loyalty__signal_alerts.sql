with
    as_of as (select * from {{ ref("dim_as_of") }}),

    signals as (select * from {{ ref("int_loyalty__signals") }}),

    gaps as (select * from {{ ref("fct_order_gaps") }}),

    -- a signal after the customer has lapsed is no warning
    alerts as (
        select
            signals.signal,
            signals.customer_key,
            signals.signal_date,
            row_number() over (
                partition by signals.signal, signals.customer_key
                order by signals.signal_date
            ) as alert_number
        from signals
        inner join
            gaps
            on signals.customer_key = gaps.customer_key
            and gaps.order_date <= signals.signal_date
            and coalesce(
                gaps.next_order_date,
                {{ add_days("gaps.order_date", var("churn_days") + 1) }}
            )
            > signals.signal_date
            and signals.signal_date
            < {{ add_days("gaps.order_date", var("churn_days")) }}
    ),

    final as (
        select
            alerts.signal,
            alerts.customer_key,
            alerts.signal_date,
            {{ add_days("alerts.signal_date", var("warning_days")) }}
            <= as_of.as_of as is_observed,
            min(gaps.lapse_date) as lapse_date,
            cast(
                {{ days_between("alerts.signal_date", "min(gaps.lapse_date)") }}
                as bigint
            ) as lead_days
        from alerts
        cross join as_of
        left join
            gaps
            on alerts.customer_key = gaps.customer_key
            and gaps.lapse_date > alerts.signal_date
            and gaps.lapse_date
            <= {{ add_days("alerts.signal_date", var("warning_days")) }}
        where alerts.alert_number = 1
        group by alerts.signal, alerts.customer_key, alerts.signal_date, as_of.as_of
    )

select *
from final
