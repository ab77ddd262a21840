with
    signals as (select * from {{ ref("int_loyalty__signals") }}),

    kinds as (
        select 'any' as signal
        union
        select signal
        from signals
    ),

    as_of as (select * from {{ ref("dim_as_of") }}),

    -- of every customer the first lapse, where the days before it lie in the data
    lapses as (
        select customer_key, min(lapse_date) as lapse_date
        from {{ ref("fct_order_gaps") }}
        where lapse_date is not null
        group by customer_key
    ),

    seen as (
        select lapses.*
        from lapses
        cross join as_of
        where
            lapses.lapse_date
            >= {{ add_days("as_of.data_start_date", var("warning_days")) }}
    ),

    final as (
        select
            kinds.signal,
            seen.customer_key,
            seen.lapse_date,
            min(signals.signal_date) as first_signal_date,
            cast(
                {{ days_between("min(signals.signal_date)", "seen.lapse_date") }}
                as bigint
            ) as lead_days
        from seen
        cross join kinds
        left join
            signals
            on seen.customer_key = signals.customer_key
            and kinds.signal = signals.signal
            and signals.signal_date < seen.lapse_date
            and signals.signal_date
            >= {{ add_days("seen.lapse_date", -var("warning_days")) }}
        group by kinds.signal, seen.customer_key, seen.lapse_date
    )

select *
from final
