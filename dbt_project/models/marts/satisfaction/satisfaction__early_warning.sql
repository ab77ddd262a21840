with
    warnings as (select * from {{ ref("fct_warnings") }}),

    gaps as (select * from {{ ref("fct_order_gaps") }} where lapse_date is not null),

    as_of as (select * from {{ ref("dim_as_of") }}),

    signals as (
        select 'complaint' as signal
        union all
        select 'dissatisfied' as signal
        union all
        select 'detractor' as signal
    ),

    warned as (
        select
            signal,
            {{ count_where("is_observed") }} as signal_count,
            {{ count_where("is_observed and lead_days <= " ~ var("warning_days")) }}
            as true_count,
            {{
                percentile(
                    "case when is_observed and lead_days <= "
                    ~ var("warning_days")
                    ~ " then lead_days end",
                    0.5,
                )
            }} as median_lead_days
        from warnings
        group by signal
    ),

    -- every lapse, and whether a signal came in the days before it
    caught as (
        select
            signals.signal,
            gaps.customer_key,
            gaps.lapse_date,
            max(
                case when warnings.customer_key is not null then 1 else 0 end
            ) as is_warned
        from gaps
        cross join as_of
        cross join signals
        left join
            warnings
            on signals.signal = warnings.signal
            and gaps.customer_key = warnings.customer_key
            and warnings.signal_date < gaps.lapse_date
            and warnings.signal_date
            >= {{ add_days("gaps.lapse_date", -var("warning_days")) }}
        -- the days before must lie in the data
        where
            gaps.lapse_date
            >= {{ add_days("as_of.data_start_date", var("warning_days")) }}
        group by signals.signal, gaps.customer_key, gaps.lapse_date
    ),

    lapsed as (
        select
            signal,
            count(*) as lapse_count,
            cast(sum(is_warned) as bigint) as warned_lapse_count
        from caught
        group by signal
    ),

    final as (
        select
            signals.signal,
            cast(coalesce(warned.signal_count, 0) as bigint) as signal_count,
            coalesce(warned.signal_count, 0) < {{ var("min_base") }} as is_suppressed,
            cast(coalesce(warned.true_count, 0) as bigint) as true_count,
            {{ shown_rate("precision", "warned.true_count", "warned.signal_count") }},
            cast(coalesce(lapsed.lapse_count, 0) as bigint) as lapse_count,
            cast(
                coalesce(lapsed.warned_lapse_count, 0) as bigint
            ) as warned_lapse_count,
            {{
                shown_rate(
                    "recall", "lapsed.warned_lapse_count", "lapsed.lapse_count"
                )
            }},
            warned.median_lead_days
        from signals
        left join warned on signals.signal = warned.signal
        left join lapsed on signals.signal = lapsed.signal
    )

select *
from final
