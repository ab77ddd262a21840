"""What is shown of a generation: each figure's question, the SQL that answers it, and the chart that draws it.

A figure with no rows says why, it is never left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pandas as pd

from loyalty.read import charts
from loyalty.read.charts import Chart
from loyalty.read.words import Words

Draw = Callable[[pd.DataFrame, Words], Chart]

TOPICS = {
    "retention": "Retention",
    "wallet": "Share of wallet",
    "satisfaction": "Satisfaction",
    "profitability": "Profitability",
    "loyalty": "Loyalty",
    "quality": "Data quality",
}


@dataclass(frozen=True)
class Figure:
    """One chart of one mart.

    `feeds` are the canonical feeds that it rests on: if one of them is simulated, so is the figure. `defined_by` is
    the id, mart and column whose definition in the register of metrics explains it. `base` is SQL on the figure's own
    rows (`figure`): the number of customers, answers or tickets it rests on.
    """

    name: str
    topic: str
    mart: str
    question: str
    sql: str
    draw: Draw
    base: str
    feeds: tuple[str, ...]
    defined_by: str | None = None


def shares_of_wallet(condition: str) -> str:
    """SQL for the shares of wallet of some segments, in the newest quarter in which they are known."""
    return f"""
            with quarters as (
                select *
                from marts.wallet__segment_periods
                where period_grain = 'quarter' and category = 'all'
            ),

            known as (
                select *
                from quarters
                where
                    {condition}
                    -- the largest shop and currency
                    and row(source, currency_code) = (
                        select arg_max(row(source, currency_code), customer_count)
                        from quarters
                        where segment_by = 'all'
                    )
            )

            select
                source,
                currency_code,
                strftime(period_start_date, '%Y-%m') as month,
                case when segment_by = 'all' then 'all customers' else segment end as label,
                mean_share_of_wallet as rate,
                mean_share_of_wallet_low as rate_low,
                mean_share_of_wallet_high as rate_high,
                share_count as base_count,
                is_suppressed
            from known
            where period_start_date = (
                select max(period_start_date) from known where mean_share_of_wallet is not null
            )
            order by segment_by <> 'all', segment_by, segment
    """


ORDERS, COSTS = ("orders",), ("order_lines", "products", "costs")
SURVEYS, TICKETS = ("survey_responses", "survey_answers"), ("tickets",)

FIGURES: tuple[Figure, ...] = (
    Figure(
        name="cohorts",
        topic="retention",
        mart="retention__cohort_months",
        question="Which customers come back, and when?",
        sql="""
            select cohort_month, month_number, cohort_size, retention_rate, is_suppressed
            from marts.retention__cohort_months
            where
                segment_by = 'all' and month_number between 1 and 12 and not is_partial_month
                and active_count is not null
                and cohort_month >= (select max(cohort_month) - interval 18 month from marts.retention__cohort_months)
            order by cohort_month, month_number
        """,
        draw=charts.cohort_heat_map,
        base="select sum(cohort_size) from (select distinct cohort_month, cohort_size from figure)",
        feeds=ORDERS,
        defined_by="D02 retention__cohort_months.retention_rate",
    ),
    Figure(
        name="survival",
        topic="retention",
        mart="retention__survival",
        question="How long do customers stay?",
        sql="""
            select curve, duration_days, survival_rate, survival_low, survival_high, base_count
            from marts.retention__survival
            where segment_by = 'all' and survival_rate is not null
            order by curve, duration_days
        """,
        draw=charts.survival,
        base="select max(base_count) from figure",
        feeds=ORDERS,
        defined_by="D01 retention__survival.survival_rate",
    ),
    Figure(
        name="revenue_bridge",
        topic="retention",
        mart="retention__revenue_movements",
        question="What made revenue rise or fall in the last whole month?",
        sql="""
            with newest as (
                select *
                from marts.retention__revenue_movements
                where segment_by = 'all' and not is_partial_month
                qualify row_number() over (order by month desc, closing_amount desc) = 1
            )
            select
                steps.step,
                steps.amount,
                steps.is_total,
                strftime(newest.month, '%Y-%m') as month,
                newest.currency_code,
                newest.opening_count
            from newest, lateral (
                values
                    ('month before', opening_amount, true, 1),
                    ('new', new_amount, false, 2),
                    ('came back', reactivated_amount, false, 3),
                    ('bought more', expansion_amount, false, 4),
                    ('bought less', -contraction_amount, false, 5),
                    ('stayed away', -lapsed_amount, false, 6),
                    ('this month', closing_amount, true, 7)
            ) as steps (step, amount, is_total, place)
            order by steps.place
        """,
        draw=charts.bridge,
        base="select max(opening_count) from figure",
        feeds=ORDERS,
        defined_by="D02 retention__revenue_movements.net_revenue_retention_rate",
    ),
    Figure(
        name="stages",
        topic="retention",
        mart="retention__segment_months",
        question="How many customers are active, and who came and left?",
        sql="""
            select
                strftime(months.month, '%Y-%m') as label,
                groups."group",
                groups.amount,
                groups.place,
                months.active_end_count as text
            from marts.retention__segment_months as months, lateral (
                values
                    ('stayed', active_end_count - new_count - reactivated_count, 1),
                    ('came back', reactivated_count, 2),
                    ('new', new_count, 3)
            ) as groups ("group", amount, place)
            where
                segment_by = 'all' and not is_partial_month and active_end_count > 0
                and month > (select max(month) - interval 13 month from marts.retention__segment_months)
            order by months.month, groups.place
        """,
        draw=partial(charts.counts, axis="active customers at the end of the month"),
        base="select sum(amount) from figure where label = (select max(label) from figure)",
        feeds=ORDERS,
    ),
    Figure(
        name="share_of_wallet",
        topic="wallet",
        mart="wallet__segment_periods",
        question="Which part of their spend do customers give us?",
        sql=shares_of_wallet("segment_by in ('all', 'age_band', 'tier')"),
        draw=partial(charts.rates_with_intervals, axis="share of wallet"),
        base="select max(base_count) from figure",
        feeds=(*ORDERS, *SURVEYS, "panel_purchases"),
        defined_by="E01 wallet__segment_periods.share_of_wallet",
    ),
    Figure(
        name="wallet_and_satisfaction",
        topic="wallet",
        mart="wallet__segment_periods",
        question="Do satisfied customers give us more of their spend?",
        sql=shares_of_wallet("segment_by = 'satisfaction_class'"),
        draw=partial(charts.rates_with_intervals, axis="share of wallet"),
        base="select sum(base_count) from figure",
        feeds=(*ORDERS, *SURVEYS, "panel_purchases"),
        defined_by="E01 wallet__segment_periods.share_of_wallet",
    ),
    Figure(
        name="index_by_wave",
        topic="satisfaction",
        mart="satisfaction__waves",
        question="How satisfied are the customers, and does it change?",
        sql="""
            select
                survey_id as survey, wave, satisfaction_index, satisfaction_index_low, satisfaction_index_high,
                scored_count
            from marts.satisfaction__waves
            where respondent_type = 'customer' and satisfaction_index is not null
            order by source, survey_id, wave_number
        """,
        draw=charts.index_by_wave,
        base="select sum(scored_count) from figure",
        feeds=SURVEYS,
        defined_by="A04 satisfaction__segment_months.satisfaction_index",
    ),
    Figure(
        name="drivers",
        topic="satisfaction",
        mart="satisfaction__drivers",
        question="What decides whether customers are satisfied?",
        sql="""
            select source, survey_id, driver, performance_index, lmg_share, answer_count
            from marts.satisfaction__drivers
            where
                -- the largest survey
                row(source, survey_id) = (
                    select arg_max(row(source, survey_id), answer_count)
                    from marts.satisfaction__drivers
                    where driver_by = 'dimension' and segment = 'all' and lmg_share is not null
                )
                and driver_by = 'dimension' and segment = 'all' and lmg_share is not null
            order by lmg_share desc
        """,
        draw=charts.drivers,
        base="select max(answer_count) from figure",
        feeds=SURVEYS,
        defined_by="A20 satisfaction__drivers.lmg_share",
    ),
    Figure(
        name="loyalty_curve",
        topic="satisfaction",
        mart="satisfaction__loyalty_curve",
        question="From which score on do customers buy again?",
        sql="""
            select
                source, survey_id, score, repurchase_rate, repurchase_rate_low, repurchase_rate_high, customer_count,
                threshold_low, threshold_high
            from marts.satisfaction__loyalty_curve
            where
                -- the largest survey
                row(source, survey_id) = (
                    select arg_max(row(source, survey_id), customer_count)
                    from marts.satisfaction__loyalty_curve
                    where segment_by = 'all'
                )
                and segment_by = 'all'
            order by score
        """,
        draw=charts.loyalty_curve,
        base="select sum(customer_count) from figure",
        feeds=(*ORDERS, *SURVEYS),
        defined_by="D17 satisfaction__loyalty_curve.curve_shape",
    ),
    Figure(
        name="complaint_funnel",
        topic="satisfaction",
        mart="satisfaction__complaint_funnel",
        question="What becomes of complaints?",
        sql="""
            with everything as (
                select *
                from marts.satisfaction__complaint_funnel
                where severity = 'all' and speed = 'all'
                order by ticket_count desc, source
                limit 1
            )
            select everything.source, steps.*, everything.is_suppressed
            from everything, lateral (
                values
                    ('answered', answered_rate, answered_rate_low, answered_rate_high, landmark_count, 1),
                    ('solved', resolved_rate, resolved_rate_low, resolved_rate_high, landmark_count, 2),
                    ('solved in time', in_time_rate, in_time_rate_low, in_time_rate_high, landmark_count, 3),
                    ('opened again', reopened_rate, reopened_rate_low, reopened_rate_high, ticket_count, 4),
                    (
                        'promise kept',
                        promise_kept_rate,
                        promise_kept_rate_low,
                        promise_kept_rate_high,
                        promise_due_count,
                        5
                    ),
                    ('bought again', repurchase_rate, repurchase_rate_low, repurchase_rate_high, outcome_count, 6)
            ) as steps (label, rate, rate_low, rate_high, base_count, place)
            order by steps.place
        """,
        draw=partial(charts.rates_with_intervals, axis="share of complaints"),
        base="select max(base_count) from figure",
        feeds=(*ORDERS, *TICKETS),
        defined_by="G10 satisfaction__complaint_funnel.promise_kept_rate",
    ),
    Figure(
        name="profit_waterfall",
        topic="profitability",
        mart="profitability__customer_months",
        question="Where does the money of a year go?",
        sql="""
            with last_year as (
                select months.*
                from marts.profitability__customer_months as months
                where
                    not is_partial_month and base = 'customer'
                    and month > (
                        select max(month) - interval 12 month
                        from marts.profitability__customer_months
                        where not is_partial_month
                    )
            ),

            sums as (
                select
                    currency_code,
                    count(distinct customer_key) as customer_count,
                    sum(gross_amount) as gross,
                    sum(discount_amount) as discount,
                    sum(shipping_amount) as shipping,
                    sum(refund_amount) as refund,
                    sum(net_amount) as net,
                    coalesce(sum(net_amount) filter (where profit_amount is not null), 0)
                    > 0.5 * sum(net_amount) as is_known,
                    sum(net_amount) filter (where profit_amount is null) as unknown_net,
                    sum(net_amount - cm1_amount) filter (where profit_amount is not null) as goods,
                    sum(order_cost_amount) filter (where profit_amount is not null) as order_costs,
                    sum(customer_cost_amount) filter (where profit_amount is not null) as customer_costs,
                    sum(sustaining_cost_amount) filter (where profit_amount is not null) as sustaining,
                    sum(profit_amount) as profit
                from last_year
                group by currency_code
                order by sum(gross_amount) desc
                limit 1
            )

            select steps.step, steps.amount, steps.is_total, sums.currency_code, sums.customer_count
            from sums, lateral (
                values
                    ('goods at list price', gross, true, 1, true),
                    ('discounts', -discount, false, 2, true),
                    ('shipping charged', shipping, false, 3, true),
                    ('refunds', -refund, false, 4, true),
                    ('net revenue', net, true, 5, not is_known),
                    ('profit not known', -unknown_net, false, 6, is_known),
                    ('cost of goods', -goods, false, 7, is_known),
                    ('cost of orders', -order_costs, false, 8, is_known),
                    ('cost of customers', -customer_costs, false, 9, is_known),
                    ('sustaining cost', -sustaining, false, 10, is_known),
                    ('profit', profit, true, 11, is_known)
            ) as steps (step, amount, is_total, place, is_shown)
            -- what is not known is no step; where most profits are unknown the way ends at net revenue
            where steps.amount is not null and steps.is_shown
            order by steps.place
        """,
        draw=charts.bridge,
        base="select max(customer_count) from figure",
        feeds=(*ORDERS, *COSTS),
        defined_by="F05 profitability__customers.profit_amount",
    ),
    Figure(
        name="whale_curve",
        topic="profitability",
        mart="profitability__whale_curve",
        question="How much do the best customers bring?",
        sql="""
            select
                currency_code, curve_rank, customer_share_rate, cumulative_value_rate, is_peak, value_basis,
                customer_count
            from marts.profitability__whale_curve
            where
                -- the currency with the most customers
                currency_code = (select arg_max(currency_code, customer_count) from marts.profitability__whale_curve)
                and cumulative_value_rate is not null
            order by curve_rank
        """,
        draw=charts.whale_curve,
        base="select max(customer_count) from figure",
        feeds=(*ORDERS, *COSTS),
        defined_by="F12 profitability__whale_curve.cumulative_value_rate",
    ),
    Figure(
        name="tiers",
        topic="profitability",
        mart="profitability__tiers",
        question="Do the best 5 % really bring half of the profit?",
        sql="""
            with tiers as (
                select *
                from marts.profitability__tiers
                where
                    -- the currency with the most customers
                    currency_code = (
                        select arg_max(currency_code, base_count)
                        from marts.profitability__tiers
                        where group_by = 'tier'
                    )
                    and group_by = 'tier' and tier <> 'not ranked' and measure_share_rate is not null
            )

            select
                tiers.currency_code,
                case tiers.tier
                    when 'top_5' then 'best 5 %' when 'next_15' then 'next 15 %' else 'other 80 %'
                end as label,
                shares.measure, shares.share_rate,
                tiers.base_count
            from tiers, lateral (
                values
                    ('of the customers', customer_share_rate, 1),
                    ('of the value', measure_share_rate, 2),
                    ('of the value, by the textbook', textbook_share_rate, 3)
            ) as shares (measure, share_rate, place)
            order by array_position(['top_5', 'next_15', 'last_80'], tiers.tier), shares.place
        """,
        draw=charts.shares_side_by_side,
        base="select max(base_count) from figure",
        feeds=(*ORDERS, *COSTS),
        defined_by="F03 profitability__tiers.measure_share_rate",
    ),
    Figure(
        name="claims",
        topic="loyalty",
        mart="loyalty__claims",
        question="Do the rules of the textbooks hold here?",
        sql="""
            select
                claim_en,
                claim_zh,
                observed_value / claim_low as observed,
                observed_low / claim_low as observed_low,
                observed_high / claim_low as observed_high,
                1.0 as claim_low,
                coalesce(claim_high / claim_low, 1.0) as claim_high,
                verdict,
                base_count
            from marts.loyalty__claims
            where observed_value is not null and claim_low > 0 and source = 'all'
            order by claim_id, variant
        """,
        draw=charts.claims,
        base="select max(base_count) from figure",
        feeds=(*ORDERS, *SURVEYS, *TICKETS, *COSTS),
    ),
    Figure(
        name="next_actions",
        topic="loyalty",
        mart="loyalty__next_actions",
        question="What is to be done next, and for whom?",
        sql="""
            with
                -- amounts of several currencies are not added up
                most_used as (select mode(currency_code) as currency_code from marts.loyalty__next_actions),

                actions as (
                    select
                        action_name_en as label_en,
                        action_name_zh as label_zh,
                        priority,
                        is_due,
                        count(*) as customer_count,
                        sum(value_at_stake_amount) filter (
                            where currency_code = (select currency_code from most_used)
                        ) as amount
                    from marts.loyalty__next_actions
                    group by all
                )

            select
                (select currency_code from most_used) as currency_code,
                label_en,
                label_zh,
                case when is_due then 'due now' else 'waits' end as "group",
                amount,
                case when is_due then 1 else 2 end as place,
                sum(customer_count) filter (where is_due) over (partition by label_en) as text,
                customer_count
            from actions
            order by priority, is_due desc
        """,
        draw=partial(charts.counts, axis="value at stake; the number is of customers due now"),
        base="select sum(customer_count) from figure",
        feeds=(*ORDERS, *SURVEYS, *TICKETS),
        defined_by="F10 loyalty__next_actions.is_due",
    ),
    Figure(
        name="data_health",
        topic="quality",
        mart="dq__feeds",
        question="Can the data be trusted?",
        sql="""
            select
                feed_name as label,
                'rows quarantined, %' as "group",
                1 as place,
                100.0 * quarantined_count / nullif(row_count + quarantined_count, 0) as amount,
                format(
                    '{:.2f} % ({:,})' || case when days_behind > 0 then ', ' || days_behind || ' d' else '' end,
                    100.0 * quarantined_count / nullif(row_count + quarantined_count, 0), quarantined_count
                ) as text,
                row_count
            from quality.dq__feeds
            where row_count + quarantined_count > 0
            order by amount desc, feed_name
            limit 20
        """,
        draw=partial(charts.counts, axis="rows quarantined, %"),
        base="select sum(row_count) from figure",
        feeds=(),
    ),
)
