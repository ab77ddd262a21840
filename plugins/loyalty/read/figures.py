"""What is shown of a generation: each figure's question, the SQL that answers it, and the chart that draws it.

Report and dashboard have this one list. A figure goes from its mart to its chart in two steps: the rows of the mart
that it rests on (`rows_sql`, also what a reader sees behind the chart), and the answer made from them (`sql`). What a
reader chooses changes the first step alone. A figure with no rows says why, it is never left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from textwrap import dedent, indent

import pandas as pd

from loyalty.read import charts
from loyalty.read.charts import Chart
from loyalty.read.choices import EVERYTHING, Choice
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
ALL_CUSTOMERS = "segment_by = 'all'"
SMALL = "base too small"


@dataclass(frozen=True)
class Remark:
    """A sentence under a figure, and SQL on `shown` for its numbers {0}, {1}; without a row it is not said."""

    sentence: str
    sql: str


@dataclass(frozen=True)
class Figure:
    """One chart of one mart: a question, how its answer is to be read, and where the answer comes from.

    `where` says which rows of the mart the figure is of. `filters` are what a reader can choose, each with the
    condition that holds while nothing is chosen; `period` is the column of the filter of that name. With
    `compares_segments` a chosen segment, or all segments of a chosen attribute, are shown beside all customers;
    without it one chosen segment is shown in their place, and an attribute alone changes nothing. `narrowed` is SQL on
    `chosen` (the rows so far) that takes the rows of one shop, survey, currency or month where a chart can only show
    one. `answer` is SQL on `shown`, the rows that are left. `left_out` is SQL on `shown` and `chosen` for what of them
    is not drawn: the columns `name` (or `name_en` and `name_zh`) and `reason`.

    `feeds` are the canonical feeds that it rests on: if one of them is simulated, so is the figure. `defined_by` is
    the id, mart and column whose definition in the register of metrics explains it. `base` is SQL on the figure's own
    rows (`figure`): the number of customers, answers or tickets it rests on, said under `base_name`; or a name and a
    number for each of several. `remarks` are said where their SQL finds something.
    """

    name: str
    topic: str
    mart: str
    question: str
    reading: str
    answer: str
    draw: Draw
    base: str
    feeds: tuple[str, ...]
    base_name: str = "base"
    where: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    period: str = "month"
    compares_segments: bool = False
    narrowed: str = ""
    left_out: str = ""
    defined_by: str | None = None
    remarks: tuple[Remark, ...] = ()

    @property
    def table(self) -> str:
        """The mart with its schema."""
        return f"{'quality' if self.mart.startswith('dq__') else 'marts'}.{self.mart}"

    def rows_sql(self, choice: Choice = EVERYTHING) -> str:
        """SQL for the rows of the mart that the figure rests on, with all their columns."""
        chosen = self._chosen_sql(choice)
        return f"with chosen as (\n{indent(chosen, '    ')}\n)\n\n{_plain(self.narrowed)}" if self.narrowed else chosen

    def sql(self, choice: Choice = EVERYTHING) -> str:
        """SQL for the figure's own rows: what its chart draws."""
        return self._asked(self.answer, choice)

    def remark_sql(self, remark: Remark, choice: Choice = EVERYTHING) -> str:
        """SQL for the numbers of a remark: one row, or none where there is nothing to say."""
        return self._asked(remark.sql, choice)

    def left_out_sql(self, choice: Choice = EVERYTHING) -> str:
        """SQL for what is not drawn, and why; empty where all is drawn."""
        return self._asked(self.left_out, choice) if self.left_out else ""

    def others_sql(self, column: str, choice: Choice = EVERYTHING) -> str:
        """SQL for the shops, surveys or currencies that are not drawn because the chart can show only one."""
        return self._asked(
            f"select distinct {column} from chosen except select distinct {column} from shown order by 1", choice
        )

    def _asked(self, question: str, choice: Choice) -> str:
        """SQL with the rows that the figure rests on as `shown`."""
        answer = _plain(question)
        steps = {"chosen": self._chosen_sql(choice), "shown": _plain(self.narrowed)}
        if not self.narrowed:
            steps = {"shown": steps["chosen"]}
        first = ",\n\n".join(f"{name} as (\n{indent(sql, '    ')}\n)" for name, sql in steps.items())
        return f"with {first},\n\n{answer[5:]}" if answer.startswith("with ") else f"with {first}\n\n{answer}"

    def not_followed(self, choice: Choice) -> list[str]:
        """What the reader chose and the figure's mart does not have."""
        return [name for name in choice.names if name not in self.filters]

    def keeps_all_customers(self, choice: Choice) -> bool:
        """Whether an attribute of segments is chosen and the figure still shows all customers: it compares none."""
        return choice.is_of_all_segments and "segment" in self.filters and not self.compares_segments

    def _chosen_sql(self, choice: Choice) -> str:
        conditions = [self.where, *(self._condition(name, choice) for name in self.filters)]
        where = "\n    and ".join(dedent(one).strip() for one in conditions if one)
        return f"select *\nfrom {self.table}" + (f"\nwhere\n    {where}" if where else "")

    def _condition(self, name: str, choice: Choice) -> str:
        if name == "segment" and self.keeps_all_customers(choice):
            return self.filters[name]
        condition = choice.condition(name, self.period)
        if condition and name == "segment" and self.compares_segments:
            return f"({ALL_CUSTOMERS} or {condition})"
        return condition or self.filters[name]


def _plain(sql: str) -> str:
    """SQL without the indent that it has in this file."""
    return dedent(sql).strip()


ORDERS, COSTS = ("orders",), ("order_lines", "products", "costs")
SURVEYS, TICKETS = ("survey_responses", "survey_answers"), ("tickets",)

# said where costs of serving were not delivered
ASSUMED_COSTS = (
    "Costs of orders, contacts and tickets are ASSUMED, by the default rates: no cost pool was delivered. Deliver the "
    "feed costs."
)
COSTS_ARE_ASSUMED = """
            exists (
                select 1
                from marts.profitability__customer_months
                where cost_basis = 'assumed default rates'
            )
"""
NET_REVENUE_INSTEAD = (
    "By net revenue, because the unit costs of most customers' goods are missing and their profit is not known. "
    "Deliver unit_cost in products, or cost_amount in order_lines."
)
OUTSIDE_THE_BASE = (
    "Only customers are in it. Guests and others outside the base bring {0} {1} of net revenue more; the total of net "
    "revenue includes them."
)
SHARES_OF_WALLET = """
            select
                source,
                currency_code,
                strftime(period_start_date, '%Y-%m') as month,
                case
                    when segment_by = 'all' then 'all customers'
                    when segment = 'top_5' then 'best 5 %'
                    when segment = 'next_15' then 'next 15 %'
                    when segment = 'last_80' then 'other 80 %'
                    else segment
                end as label,
                mean_share_of_wallet as rate,
                mean_share_of_wallet_low as rate_low,
                mean_share_of_wallet_high as rate_high,
                share_count as base_count,
                is_suppressed
            from shown
            order by
                segment_by <> 'all', segment_by, array_position(['top_5', 'next_15', 'last_80'], segment), segment
"""
LARGEST_SURVEY = """
            select *
            from chosen
            where
                row(source, survey_id) = (
                    select arg_max(row(source, survey_id), {count})
                    from chosen
                    where {known}
                )
"""
MOST_USED_CURRENCY = """
            select *
            from chosen
            where currency_code = (select arg_max(currency_code, {count}) from chosen)
"""
YEAR_STEPS = """
            with sums as (
                select
                    currency_code,
                    count(distinct customer_key) as customer_count,
                    sum(gross_amount) as gross,
                    sum(discount_amount) as discount,
                    sum(shipping_amount) as shipping,
                    sum(refund_amount) as refund,
                    sum(net_amount) as net,
                    coalesce(
                        sum(net_amount) filter (where profit_amount is not null) > 0.5 * sum(net_amount), false
                    ) as is_known,
                    sum(net_amount) filter (where profit_amount is null) as unknown_net,
                    sum(net_amount - cm1_amount) filter (where profit_amount is not null) as goods,
                    sum(order_cost_amount) filter (where profit_amount is not null) as order_costs,
                    sum(customer_cost_amount) filter (where profit_amount is not null) as customer_costs,
                    sum(sustaining_cost_amount) filter (where profit_amount is not null) as sustaining,
                    sum(profit_amount) as profit
                from shown
                where base = 'customer'
                group by currency_code
            ),

            steps as (
                select
                    steps.step,
                    steps.amount,
                    steps.is_total,
                    steps.place,
                    steps.is_shown,
                    sums.currency_code,
                    sums.customer_count
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
            )
"""
SHOP_QUARTERS = {"source": "", "currency_code": "", "period": ""}

# the largest shop and currency, in the newest quarter in which the shares are known
NEWEST_SHARES = """
            select *
            from chosen
            where
                {only}row(source, currency_code) = (
                    select arg_max(row(source, currency_code), customer_count)
                    from chosen
                    where segment_by = 'all'
                )
            qualify
                period_start_date = max(period_start_date) filter (where mean_share_of_wallet is not null) over ()
"""

FIGURES: tuple[Figure, ...] = (
    Figure(
        name="cohorts",
        topic="retention",
        mart="retention__cohort_months",
        question="Which customers come back, and when?",
        reading=(
            "A row is the customers whose first order was in that month. A cell is the share of them with an "
            "order so many months later: the first 12 months of the cohorts of the last 18 months, or of the months "
            "that are chosen."
        ),
        answer="""
            select cohort_month, month_number, cohort_size, retention_rate, is_suppressed
            from shown
            order by cohort_month, month_number
        """,
        where="month_number between 1 and 12 and not is_partial_month and active_count is not null",
        filters={
            "segment": ALL_CUSTOMERS,
            "period": """
                cohort_month >= (
                    select max(cohort_month) - interval 18 month from marts.retention__cohort_months
                )
            """,
        },
        period="cohort_month",
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
        reading=(
            "After so many days, the share of customers who have not lapsed yet, and the share who have no second "
            "order yet. The band is the 95 % interval."
        ),
        answer="""
            select curve, duration_days, survival_rate, survival_low, survival_high, base_count
            from shown
            where survival_rate is not null
            order by curve, duration_days
        """,
        filters={"segment": ALL_CUSTOMERS},
        left_out=f"select distinct curve as name, '{SMALL}' as reason from shown where survival_rate is null",
        draw=charts.survival,
        base="select curve, max(base_count) from figure group by curve order by curve",
        feeds=ORDERS,
        defined_by="D01 retention__survival.survival_rate",
    ),
    Figure(
        name="revenue_bridge",
        topic="retention",
        mart="retention__revenue_movements",
        question="What made revenue rise or fall in the last whole month?",
        reading=(
            "From the revenue of the month before to that of this month: what came from customers who are new, "
            "came back or bought more, and what was lost with those who bought less or stayed away."
        ),
        answer="""
            select
                steps.step,
                steps.amount,
                steps.is_total,
                strftime(shown.month, '%Y-%m') as month,
                shown.currency_code,
                shown.opening_count
            from shown, lateral (
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
        where="not is_partial_month",
        filters={"segment": ALL_CUSTOMERS, "currency_code": "", "period": ""},
        narrowed="""
            select *
            from chosen
            qualify row_number() over (order by month desc, closing_amount desc, currency_code) = 1
        """,
        draw=charts.bridge,
        base="select max(opening_count) from figure",
        feeds=ORDERS,
        defined_by="D02 retention__revenue_movements.net_revenue_retention_rate",
        remarks=(
            Remark(
                OUTSIDE_THE_BASE,
                """
                select cast(sum(months.net_amount) as decimal(38, 2)), months.currency_code
                from marts.retention__customer_months as months
                inner join shown on months.month = shown.month and months.currency_code = shown.currency_code
                where months.base <> 'customer' and shown.segment_by = 'all'
                group by months.currency_code
                having sum(months.net_amount) <> 0
                """,
            ),
        ),
    ),
    Figure(
        name="stages",
        topic="retention",
        mart="retention__segment_months",
        question="How many customers are active, and who came and left?",
        reading=(
            "Active customers at the end of each month: those who stayed, who came back after they had lapsed, "
            "and who are new, in the last 13 months or in those that are chosen. A customer lapses after churn_days "
            "without an order."
        ),
        answer="""
            select
                strftime(shown.month, '%Y-%m') as label,
                groups."group",
                groups.amount,
                groups.place,
                shown.active_end_count as text
            from shown, lateral (
                values
                    ('stayed', active_end_count - new_count - reactivated_count, 1),
                    ('came back', reactivated_count, 2),
                    ('new', new_count, 3)
            ) as groups ("group", amount, place)
            order by shown.month, groups.place
        """,
        where="not is_partial_month and active_end_count > 0",
        filters={
            "segment": ALL_CUSTOMERS,
            "period": "month > (select max(month) - interval 13 month from marts.retention__segment_months)",
        },
        draw=partial(charts.counts, axis="active customers at the end of the month"),
        base="select sum(amount) from figure where label = (select max(label) from figure)",
        feeds=ORDERS,
    ),
    Figure(
        name="share_of_wallet",
        topic="wallet",
        mart="wallet__segment_periods",
        question="Which part of their spend do customers give us?",
        reading=(
            "Of what a customer spends in our categories, the part that is spent with us; the mean over customers "
            "whose share is known (their number is in brackets). The line is the 95 % interval."
        ),
        answer=SHARES_OF_WALLET,
        where="period_grain = 'quarter' and category = 'all'",
        filters={"segment": "segment_by in ('all', 'age_band', 'tier')", **SHOP_QUARTERS},
        period="period_start_date",
        compares_segments=True,
        narrowed=NEWEST_SHARES.format(only=""),
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
        reading=(
            "The mean share of wallet of customers by their answer to the newest survey; in brackets how many "
            "they are. It goes with satisfaction; it need not come from it."
        ),
        answer=SHARES_OF_WALLET,
        where="period_grain = 'quarter' and category = 'all' and segment_by in ('all', 'satisfaction_class')",
        filters=SHOP_QUARTERS,
        period="period_start_date",
        narrowed=NEWEST_SHARES.format(only="segment_by <> 'all' and "),
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
        reading=(
            "Customers answer three questions: how satisfied they are, whether their expectations were met, how close "
            "it comes to their ideal. The index is the mean of the three, with 0 for the worst answer and 100 for the "
            "best. The line is the 95 % interval: a change within it can be chance. It is of those who answered, not "
            "of all customers: feelings decide who answers, interviewers hear better scores, and weights correct "
            "neither."
        ),
        answer="""
            select
                survey_id as survey, wave, satisfaction_index, satisfaction_index_low, satisfaction_index_high,
                scored_count, strftime(month, '%Y-%m') as month
            from shown
            where satisfaction_index is not null
            order by source, survey_id, wave_number
        """,
        where="respondent_type = 'customer'",
        filters={"source": "", "survey_id": "", "period": ""},
        left_out=f"""
            select
                survey_id || ' ' || wave as name,
                case when is_suppressed then '{SMALL}' else 'not all questions of the index were asked' end as reason
            from shown
            where satisfaction_index is null
            order by source, survey_id, wave_number
        """,
        draw=charts.index_by_wave,
        base="""
            select survey || ' ' || wave, scored_count
            from figure
            qualify row_number() over (partition by survey order by month desc, wave desc) = 1
            order by survey
        """,
        base_name="base of the newest wave",
        feeds=SURVEYS,
        defined_by="A04 satisfaction__segment_months.satisfaction_index",
        remarks=(
            Remark(
                "{0}, wave {1}: the answers are on average at {2}, between 0 (the worst answer to all three questions) "
                "and 100 (the best). With many more answers of such customers it would most likely (95 %) be between "
                "{3} and {4}.",
                """
                select
                    survey_id,
                    wave,
                    format('{:.1f}', cast(satisfaction_index as double)),
                    format('{:.1f}', cast(satisfaction_index_low as double)),
                    format('{:.1f}', cast(satisfaction_index_high as double))
                from shown
                where satisfaction_index is not null
                qualify row_number() over (partition by source, survey_id order by wave_number desc) = 1
                order by source, survey_id
                """,
            ),
        ),
    ),
    Figure(
        name="drivers",
        topic="satisfaction",
        mart="satisfaction__drivers",
        question="What decides whether customers are satisfied?",
        reading=(
            "Higher: satisfaction goes more with this driver. Further right: customers rate it better. What is "
            "high and on the left is to be improved first. It is an association, not proof of a cause."
        ),
        answer="""
            select source, survey_id, driver, performance_index, lmg_share, answer_count
            from shown
            where lmg_share is not null
            order by lmg_share desc
        """,
        where="driver_by = 'dimension' and segment = 'all'",
        filters={"source": "", "survey_id": ""},
        narrowed=LARGEST_SURVEY.format(count="answer_count", known="lmg_share is not null"),
        left_out=f"""
            select driver as name, coalesce(fit_reason, '{SMALL}') as reason
            from shown
            where lmg_share is null
            order by driver
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
        reading=(
            "The share of customers with each score who ordered again afterwards, with its 95 % interval. Dashed "
            "lines are the scores at which the curve changes its slope."
        ),
        answer="""
            select
                source, survey_id, score, repurchase_rate, repurchase_rate_low, repurchase_rate_high, customer_count,
                threshold_low, threshold_high
            from shown
            order by score
        """,
        filters={"segment": ALL_CUSTOMERS, "source": "", "survey_id": ""},
        narrowed=LARGEST_SURVEY.format(count="customer_count", known="customer_count > 0"),
        left_out=f"""
            select 'score ' || score as name_en, score || ' 分' as name_zh, '{SMALL}' as reason
            from shown
            where repurchase_rate is null
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
        reading=(
            "The share of complaints that were answered, solved and so on, with its 95 % interval. In brackets "
            "the number of complaints that each share rests on."
        ),
        answer="""
            select shown.source, steps.*, shown.is_suppressed
            from shown, lateral (
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
        where="severity = 'all' and speed = 'all'",
        filters={"source": ""},
        narrowed="select * from chosen order by ticket_count desc, source limit 1",
        draw=partial(charts.rates_with_intervals, axis="share of complaints"),
        base="select max(base_count) from figure",
        base_name="largest base",
        feeds=(*ORDERS, *TICKETS),
        defined_by="G10 satisfaction__complaint_funnel.promise_kept_rate",
    ),
    Figure(
        name="profit_waterfall",
        topic="profitability",
        mart="profitability__customer_months",
        question="Where does the money of a year go?",
        reading=(
            "The last 12 whole months, or the months that are chosen, from the list price of what was sold down "
            "to the profit. The cost of goods that came back stays in it, unless the export says that they can be sold "
            "again."
        ),
        answer=f"""{YEAR_STEPS}
            select step, amount, is_total, currency_code, customer_count
            from steps
            -- what is not known is no step; where most profits are unknown the way ends at net revenue
            where amount is not null and is_shown
            order by place
        """,
        where="not is_partial_month",
        left_out=f"""{YEAR_STEPS}
            select step as name, 'nothing about it was delivered' as reason
            from steps
            where amount is null and is_shown and step <> 'profit not known'
            order by place
        """,
        filters={
            "source": "",
            "currency_code": "",
            "period": """
                month > (
                    select max(month) - interval 12 month
                    from marts.profitability__customer_months
                    where not is_partial_month
                )
            """,
        },
        narrowed="""
            select *
            from chosen
            where
                currency_code is not distinct from (
                    select currency_code from chosen group by currency_code order by sum(gross_amount) desc limit 1
                )
        """,
        draw=charts.bridge,
        base="select max(customer_count) from figure",
        feeds=(*ORDERS, *COSTS),
        defined_by="F05 profitability__customers.profit_amount",
        remarks=(
            Remark(
                OUTSIDE_THE_BASE,
                """
                select cast(sum(net_amount) as decimal(38, 2)), currency_code
                from shown
                where base <> 'customer'
                group by currency_code
                having sum(net_amount) <> 0
                """,
            ),
            Remark(
                "The profit is not known in {0} of {1} months of customers, because unit costs of the goods sold are "
                "missing. Deliver unit_cost in products, or cost_amount in order_lines.",
                """
                select count(*) filter (where profit_amount is null), count(*)
                from shown
                where base = 'customer'
                having count(*) filter (where profit_amount is null) > 0
                """,
            ),
            Remark(
                ASSUMED_COSTS,
                """
                select 1
                from shown
                where base = 'customer' and profit_amount is not null and cost_basis = 'assumed default rates'
                limit 1
                """,
            ),
        ),
    ),
    Figure(
        name="whale_curve",
        topic="profitability",
        mart="profitability__whale_curve",
        question="How much do the best customers bring?",
        reading=(
            "Customers from the best to the worst: which part of the total they bring together. Where the curve "
            "falls, customers cost more than they bring."
        ),
        answer="""
            select
                currency_code, curve_rank, customer_share_rate, cumulative_value_rate, is_peak, value_basis,
                customer_count
            from shown
            where cumulative_value_rate is not null
            order by curve_rank
        """,
        filters={"currency_code": ""},
        narrowed=MOST_USED_CURRENCY.format(count="customer_count"),
        left_out="""
            select distinct currency_code as name, 'all together bring nothing or a loss' as reason
            from shown
            where cumulative_value_rate is null
        """,
        draw=charts.whale_curve,
        base="select max(customer_count) from figure",
        feeds=(*ORDERS, *COSTS),
        defined_by="F12 profitability__whale_curve.cumulative_value_rate",
        remarks=(
            Remark(NET_REVENUE_INSTEAD, "select 1 from shown where value_basis = 'net_revenue' limit 1"),
            Remark(ASSUMED_COSTS, f"select 1 from shown where value_basis = 'profit' and {COSTS_ARE_ASSUMED} limit 1"),
        ),
    ),
    Figure(
        name="tiers",
        topic="profitability",
        mart="profitability__tiers",
        question="Do the best 5 % really bring half of the profit?",
        reading=(
            "The best 5 %, the next 15 % and the other 80 % of the customers: which share of the value they "
            "bring, beside the 50, 30 and 20 % of the textbook."
        ),
        answer="""
            select
                shown.currency_code,
                case shown.tier
                    when 'top_5' then 'best 5 %' when 'next_15' then 'next 15 %' else 'other 80 %'
                end as label,
                shares.measure, shares.share_rate,
                shown.base_count
            from shown, lateral (
                values
                    ('of the customers', customer_share_rate, 1),
                    ('of the value', measure_share_rate, 2),
                    ('of the value, by the textbook', textbook_share_rate, 3)
            ) as shares (measure, share_rate, place)
            where shown.measure_share_rate is not null and shown.tier <> 'not ranked'
            order by array_position(['top_5', 'next_15', 'last_80'], shown.tier), shares.place
        """,
        where="group_by = 'tier'",
        filters={"currency_code": ""},
        narrowed=MOST_USED_CURRENCY.format(count="base_count"),
        left_out="""
            select
                tier as name,
                case
                    when tier = 'not ranked' then 'their value is not known'
                    else 'all together bring nothing or a loss'
                end as reason
            from shown
            where measure_share_rate is null or tier = 'not ranked'
            order by tier
        """,
        draw=charts.shares_side_by_side,
        base="select max(base_count) from figure",
        feeds=(*ORDERS, *COSTS),
        defined_by="F03 profitability__tiers.measure_share_rate",
        remarks=(
            Remark(
                NET_REVENUE_INSTEAD,
                """
                select 1
                from shown
                inner join marts.profitability__whale_curve as curve on shown.currency_code = curve.currency_code
                where shown.measure = 'net_revenue' and curve.value_basis = 'net_revenue'
                limit 1
                """,
            ),
            Remark(ASSUMED_COSTS, f"select 1 from shown where measure = 'cm3' and {COSTS_ARE_ASSUMED} limit 1"),
        ),
    ),
    Figure(
        name="claims",
        topic="loyalty",
        mart="loyalty__claims",
        question="Do the rules of the textbooks hold here?",
        reading=(
            "A point is what the data show, as a multiple of what the rule says (the dashed line at 1, or the grey "
            "bar); the line is its 95 % interval. The colour is the verdict."
        ),
        answer="""
            select
                claim_en,
                claim_zh,
                observed_value / claim_low as observed,
                observed_low / claim_low as observed_low,
                observed_high / claim_low as observed_high,
                1.0 as claim_low,
                coalesce(claim_high / claim_low, 1.0) as claim_high,
                verdict,
                variant,
                base_count
            from shown
            where observed_value is not null and claim_low > 0
            order by claim_id, variant
        """,
        where="source = 'all'",
        left_out="""
            select
                claim_en as name_en,
                claim_zh as name_zh,
                case
                    when observed_value is null then verdict_reason else 'the rule names no figure to draw; ' || verdict
                end as reason
            from shown
            where observed_value is null or claim_low is null or claim_low <= 0
            order by claim_id, variant
        """,
        draw=charts.claims,
        base="select max(base_count) from figure",
        base_name="largest base",
        feeds=(*ORDERS, *SURVEYS, *TICKETS, *COSTS),
        remarks=(
            Remark(
                ASSUMED_COSTS,
                f"""
                select 1
                from shown
                where
                    claim_id in ('top_5_give_half', 'next_15_give_30', 'last_80_give_20')
                    and observed_value is not null
                    and {COSTS_ARE_ASSUMED}
                limit 1
                """,
            ),
        ),
    ),
    Figure(
        name="next_actions",
        topic="loyalty",
        mart="loyalty__next_actions",
        question="What is to be done next, and for which customers?",
        reading=(
            "For each action the value at stake with the customers who give a reason for it. Those who wait have "
            "a more urgent action, or were contacted lately."
        ),
        answer="""
            with most_used as (select mode(currency_code) as currency_code from shown),

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
                from shown
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
        filters={"currency_code": ""},
        left_out="""
            select action_name_en as name_en, action_name_zh as name_zh, 'the value at stake is not known' as reason
            from shown
            group by all
            having count(value_at_stake_amount) = 0

            union all

            select distinct currency_code, currency_code, 'only one currency fits into the chart; choose another one'
            from shown
            where currency_code <> (select mode(currency_code) from shown)
            order by 3, 1
        """,
        draw=partial(charts.counts, axis="value at stake; the number is of customers due now"),
        base="select sum(customer_count) from figure",
        base_name="customers with an action, each once an action",
        feeds=(*ORDERS, *SURVEYS, *TICKETS),
    ),
    Figure(
        name="data_health",
        topic="quality",
        mart="dq__feeds",
        question="Can the data be trusted?",
        reading=("The share of each feed's rows that are quarantined because they broke a rule, with their number."),
        answer="""
            select
                feed_name as label_en,
                feed_name as label_zh,
                'rows quarantined, %' as "group",
                1 as place,
                100.0 * quarantined_count / nullif(row_count + quarantined_count, 0) as amount,
                format(
                    '{:.2f} % ({:,})',
                    100.0 * quarantined_count / nullif(row_count + quarantined_count, 0), quarantined_count
                ) as text,
                row_count
            from shown
            where row_count + quarantined_count > 0
            order by amount desc, feed_name
        """,
        filters={"source": ""},
        left_out="""
            select feed_name as name, 'no row of it is in use' as reason
            from shown
            where row_count + quarantined_count = 0
            order by feed_name
        """,
        draw=partial(charts.counts, axis="rows quarantined, %"),
        base="select sum(row_count) from figure",
        feeds=(),
    ),
)
