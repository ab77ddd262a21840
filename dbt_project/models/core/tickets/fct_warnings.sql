{# First signs of trouble of a customer who was still active: a complaint, a dissatisfied answer, a detractor's; and the next lapse. #}
with
    as_of as (select * from {{ ref("dim_as_of") }}),

    gaps as (select * from {{ ref("fct_order_gaps") }}),

    signals as (
        select 'complaint' as signal, customer_key, opened_date as signal_date
        from {{ ref("fct_ticket_outcomes") }}
        where is_complaint
        union all
        select 'dissatisfied' as signal, customer_key, submitted_date as signal_date
        from {{ ref("fct_survey_results") }}
        where
            not is_duplicate
            and respondent_type = 'customer'
            and satisfaction_class = 'dissatisfied'
        union all
        select 'detractor' as signal, customer_key, submitted_date as signal_date
        from {{ ref("fct_survey_results") }}
        where
            not is_duplicate
            and respondent_type = 'customer'
            and nps_class = 'detractor'
    ),

    -- the stretch between two order days in which the signal came; who had lapsed
    -- before it cannot be warned of
    placed as (
        select
            signals.signal, signals.customer_key, signals.signal_date, gaps.order_date
        from signals
        inner join
            gaps
            on signals.customer_key = gaps.customer_key
            and signals.signal_date >= gaps.order_date
            and (
                gaps.next_order_date is null
                or signals.signal_date < gaps.next_order_date
            )
            and (gaps.lapse_date is null or signals.signal_date < gaps.lapse_date)
        cross join as_of
        where signals.signal_date <= as_of.as_of
        group by
            signals.signal, signals.customer_key, signals.signal_date, gaps.order_date
    ),

    next_lapses as (
        select
            placed.signal,
            placed.customer_key,
            placed.signal_date,
            min(gaps.lapse_date) as lapse_date
        from placed
        left join
            gaps
            on placed.customer_key = gaps.customer_key
            and gaps.lapse_date > placed.signal_date
        group by placed.signal, placed.customer_key, placed.signal_date
    ),

    final as (
        select
            {{
                made_key(
                    [
                        "next_lapses.signal",
                        "next_lapses.customer_key",
                        "next_lapses.signal_date",
                    ]
                )
            }} as warning_key,
            next_lapses.signal,
            next_lapses.customer_key,
            next_lapses.signal_date,
            next_lapses.lapse_date,
            cast(
                {{ days_between("next_lapses.signal_date", "next_lapses.lapse_date") }}
                as bigint
            ) as lead_days,
            {{ add_days("next_lapses.signal_date", var("warning_days")) }}
            <= as_of.as_of as is_observed
        from next_lapses
        cross join as_of
    )

select *
from final
