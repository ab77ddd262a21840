{# What may warn of a lapse: a complaint, a low score, a detractor's answer, a silence longer than usual. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    retention as (select * from {{ ref("fct_customer_retention") }}),

    results as (
        select *
        from {{ ref("fct_survey_results") }}
        where not is_duplicate and respondent_type = 'customer'
    ),

    signals as (
        select customer_key, 'complaint' as signal, opened_date as signal_date
        from {{ ref("fct_tickets") }}
        where kind = 'complaint'
        union all
        select customer_key, 'low score', submitted_date
        from results
        where loyalty_class = 'hostile'
        union all
        select customer_key, 'detractor', submitted_date
        from results
        where nps_class = 'detractor'
        union all
        select
            gaps.customer_key,
            'silence',
            {{
                add_days(
                    "gaps.order_date",
                    "ceil(retention.median_order_gap_days * "
                    ~ var("fading_silence")
                    ~ ")",
                )
            }}
        from {{ ref("fct_order_gaps") }} as gaps
        inner join retention on gaps.customer_key = retention.customer_key
        where
            retention.order_gap_count >= {{ var("fading_min_gaps") }}
            and gaps.order_gap_days
            > retention.median_order_gap_days * {{ var("fading_silence") }}
    ),

    final as (
        select distinct signals.customer_key, named.signal, signals.signal_date
        from signals
        cross join as_of
        -- each signal counts by itself and among all
        inner join
            (
                select 'complaint' as signal
                union all
                select 'low score'
                union all
                select 'detractor'
                union all
                select 'silence'
                union all
                select 'any'
            ) as named
            on signals.signal = named.signal
            or named.signal = 'any'
        where signals.customer_key is not null and signals.signal_date <= as_of.as_of
    )

select *
from final
