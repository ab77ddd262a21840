"""A published generation with a few rows in the marts that the figures read, written by hand: made in a second."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from loyalty.common.settings import Settings, load_settings
from worlds.one_mart import FEED

SURVEY = """
feed: survey_responses
source: shop
group: surveys
owner: data-engineering
description: Answers, SIMULATED.
path: exports/answers*.csv
time_zone: UTC
columns: {response_id: id, survey_id: survey, customer_id: customer, started_at: at}
"""

# Two segments, three months of which the last one is not over; the south is under the smallest base.
TABLES = {
    "marts.retention__cohort_months": """
        (date '2026-01-01', 'all', 'all', 1, date '2026-02-01', false, 40, false, 20, 0.5),
        (date '2026-01-01', 'all', 'all', 2, date '2026-03-01', true, 40, false, 4, 0.1),
        (date '2026-01-01', 'region', 'north', 1, date '2026-02-01', false, 36, false, 18, 0.5),
        (date '2026-01-01', 'region', 'south', 1, date '2026-02-01', false, 4, true, 2, null),
        (date '2026-02-01', 'all', 'all', 1, date '2026-03-01', true, 3, true, 1, null)
    ) as t (cohort_month, segment_by, segment, month_number, month, is_partial_month, cohort_size, is_suppressed,
            active_count, retention_rate)""",
    "marts.retention__survival": """
        ('lapse', 'all', 'all', 1, 40, 1.0, 0.9, 1.0), ('lapse', 'all', 'all', 30, 40, 0.8, 0.7, 0.9),
        ('lapse', 'all', 'all', 60, 40, null, null, null), ('lapse', 'region', 'north', 1, 36, 0.75, 0.7, 0.9)
    ) as t (curve, segment_by, segment, duration_days, base_count, survival_rate, survival_low, survival_high)""",
    "marts.retention__revenue_movements": """
        (date '2026-01-01', false, 'all', 'all', 'EUR', 0, 0, 400, 0, 0, 0, 0, 400),
        (date '2026-02-01', false, 'all', 'all', 'EUR', 40, 400, 30, 5, 20, 15, 40, 400),
        (date '2026-02-01', false, 'region', 'north', 'EUR', 36, 360, 30, 0, 20, 10, 40, 360),
        (date '2026-03-01', true, 'all', 'all', 'EUR', 40, 400, 0, 0, 0, 0, 300, 100)
    ) as t (month, is_partial_month, segment_by, segment, currency_code, opening_count, opening_amount, new_amount,
            reactivated_amount, expansion_amount, contraction_amount, lapsed_amount, closing_amount)""",
    "marts.retention__segment_months": """
        ('all', 'all', date '2026-01-01', false, 40, 0, 40, 'EUR', 400),
        ('all', 'all', date '2026-02-01', false, 3, 1, 43, 'EUR', 430),
        ('region', 'north', date '2026-01-01', false, 36, 0, 36, 'EUR', 360),
        ('region', 'north', date '2026-02-01', false, 3, 1, 39, 'EUR', 400),
        ('region', 'south', date '2026-01-01', false, 4, 0, 4, 'EUR', 40),
        ('region', 'south', date '2026-02-01', false, 0, 0, 4, 'EUR', 30)
    ) as t (segment_by, segment, month, is_partial_month, new_count, reactivated_count, active_end_count,
            currency_code, order_amount)""",
    "marts.retention__customer_months": """
        ('a', 'shop', 'customer', date '2026-01-01', false, 'EUR', 2, 400, 0),
        ('a', 'shop', 'customer', date '2026-02-01', false, 'EUR', 1, 300, 10),
        ('=b', 'shop', 'customer', date '2026-02-01', false, 'EUR', 1, 130, 0)
    ) as t (customer_key, source, base, month, is_partial_month, currency_code, order_count, net_amount,
            refund_amount)""",
    "marts.wallet__segment_periods": """
        ('shop', 'all', 'quarter', date '2026-01-01', 'all', 'all', 'EUR', 40, 30, false, 0.4, 0.3, 0.5),
        ('shop', 'all', 'quarter', date '2026-01-01', 'age_band', '25-34', 'EUR', 4, 3, true, null, null, null),
        ('shop', 'all', 'quarter', date '2026-01-01', 'region', 'north', 'EUR', 36, 27, false, 0.45, 0.35, 0.55),
        ('shop', 'all', 'quarter', date '2026-01-01', 'satisfaction_class', 'satisfied', 'EUR', 36, 27, false,
            0.5, 0.4, 0.6)
    ) as t (source, category, period_grain, period_start_date, segment_by, segment, currency_code, customer_count,
            share_count, is_suppressed, mean_share_of_wallet, mean_share_of_wallet_low, mean_share_of_wallet_high)""",
    "marts.satisfaction__waves": """
        ('shop', 'yearly', '2026-01', 'customer', date '2026-01-01', 1, 40, false, 71.5, 69.0, 74.0),
        ('shop', 'yearly', '2026-02', 'customer', date '2026-02-01', 2, 3, true, null, null, null),
        ('shop', 'pulse', '2026-01', 'customer', date '2026-01-01', 1, 33, false, 60.25, 55.0, 65.5),
        ('shop', 'till', '2026-01', 'customer', date '2026-01-01', 1, 50, false, null, null, null)
    ) as t (source, survey_id, wave, respondent_type, month, wave_number, scored_count, is_suppressed,
            satisfaction_index, satisfaction_index_low, satisfaction_index_high)""",
    "marts.satisfaction__loyalty_curve": """
        ('shop', 'yearly', 'all', 'all', 4, 0.4, 0.3, 0.5, 20, 4.0, null::double),
        ('shop', 'yearly', 'all', 'all', 5, 0.6, 0.5, 0.7, 20, 4.0, null),
        ('shop', 'yearly', 'all', 'all', 1, null, null, null, 2, 4.0, null),
        ('shop', 'pulse', 'all', 'all', 5, 0.6, 0.5, 0.7, 10, 4.0, null)
    ) as t (source, survey_id, segment_by, segment, score, repurchase_rate, repurchase_rate_low, repurchase_rate_high,
            customer_count, threshold_low, threshold_high)""",
    "marts.profitability__whale_curve": """
        ('EUR', 1, 0.05, 0.6, false, 'profit', 20), ('EUR', 2, 0.5, 1.2, true, 'profit', 20),
        ('EUR', 3, 1.0, 1.0, false, 'profit', 20), ('CHF', 1, 1.0, null, false, 'profit', 1)
    ) as t (currency_code, curve_rank, customer_share_rate, cumulative_value_rate, is_peak, value_basis,
            customer_count)""",
    "marts.profitability__customer_months": """
        ('a', 'shop', 'customer', date '2026-01-01', false, 'EUR', 100, 5, 10, 20, 85, 45, 6, 3, 1, 35,
         'delivered pools'),
        ('b', 'shop', 'customer', date '2026-02-01', false, 'EUR', 60, 0, 5, 0, 65, 40, 4, 2, 1, 33,
         'delivered pools')
    ) as t (customer_key, source, base, month, is_partial_month, currency_code, gross_amount, discount_amount,
            shipping_amount, refund_amount, net_amount, cm1_amount, order_cost_amount, customer_cost_amount,
            sustaining_cost_amount, profit_amount, cost_basis)""",
    "marts.profitability__tiers": """
        ('tier', 'top_5', 'EUR', 40, 0.05, 0.3, 0.5, 'cm3'), ('tier', 'next_15', 'EUR', 40, 0.15, 0.3, 0.3, 'cm3'),
        ('tier', 'last_80', 'EUR', 40, 0.8, 0.4, 0.2, 'cm3'),
        ('tier', 'not ranked', 'EUR', 40, null, null, null, 'cm3')
    ) as t (group_by, tier, currency_code, base_count, customer_share_rate, measure_share_rate,
            textbook_share_rate, measure)""",
    "marts.satisfaction__complaint_funnel": """
        ('shop', 'all', 'all', 30, 28, 20, 25, false, 0.9, 0.8, 0.95, 0.8, 0.7, 0.9, 0.6, 0.5, 0.7, 0.1, 0.05, 0.2,
         null, null, null, 0.5, 0.4, 0.6)
    ) as t (source, severity, speed, ticket_count, landmark_count, promise_due_count, outcome_count, is_suppressed,
            answered_rate, answered_rate_low, answered_rate_high, resolved_rate, resolved_rate_low, resolved_rate_high,
            in_time_rate, in_time_rate_low, in_time_rate_high, reopened_rate, reopened_rate_low, reopened_rate_high,
            promise_kept_rate, promise_kept_rate_low, promise_kept_rate_high, repurchase_rate, repurchase_rate_low,
            repurchase_rate_high)""",
    "marts.loyalty__claims": """
        ('all', 'six_times', 'all', 'The completely satisfied come back six times as often as the others.',
         '完全满意的客户再次购买的可能性是其他客户的六倍。', 6.0, null::double, 1.4, 1.2, 1.7,
         40, 'does not hold', null),
        ('all', 'dissatisfied_tells_22', 'all', 'A dissatisfied customer tells 22 people.', '不满意的客户会告诉22人。',
         22.0, null, null, null, null, 0, 'cannot tell',
        'nothing was observed; needed: a survey question about the number of people told'),
        ('all', 'recovered', 'score', 'Those whose problem was solved are the most loyal.',
        '问题得到解决的客户最忠诚。', 0.0, null, 0.3, 0.1, 0.5, 40, 'holds',
        'the 95 % interval lies wholly on the claimed side of no effect')
    ) as t (source, claim_id, variant, claim_en, claim_zh, claim_low, claim_high, observed_value, observed_low,
            observed_high, base_count, verdict, verdict_reason)""",
    "marts.loyalty__next_actions": """
        ('a', 'call', 'Call', '致电', 1, true, 5.25, 'EUR'), ('b', 'call', 'Call', '致电', 1, false, 7, 'EUR'),
        ('c', 'call', 'Call', '致电', 1, true, 900, 'CHF'), ('d', 'thank', 'Thank', '致谢', 2, true, null, 'EUR')
    ) as t (customer_key, action, action_name_en, action_name_zh, priority, is_due, value_at_stake_amount,
            currency_code)""",
    "quality.dq__feeds": """
        ('shop', 'orders_shop', 200, 3), ('shop', 'tickets_shop', 0, 0)
    ) as t (source, feed_name, row_count, quarantined_count)""",
    "quality.dq__metric_catalogue": """
        ('A04', 'Customer satisfaction index (CSI)', '客户满意指数', 'The mean place on 0 to 100.',
         '在 0 至 100 上的平均位置。', 'satisfaction__segment_months', 'satisfaction_index', null, null, 'k1'),
        ('D25', 'Win-back rate', '挽回率', 'Who came back, of $100.', '回归者所占的比例。',
         'retention__segment_months', 'winback_rate', null, null, 'k2'),
        ('I17', 'Training hours', '培训时长', null, null, null, null, 'No feed has them.', '没有数据源提供。', 'k3')
    ) as t (metric_id, name_en, name_zh, definition, definition_zh, model_name, column_name, reason, reason_zh,
            metric_key)""",
    "quality.dq__loads": """
        ('orders_shop', 'accepted', 200, 3, timestamp '2026-03-02 04:00:00')
    ) as t (feed_name, outcome, row_count, quarantined_count, received_at)""",
    "quality.dq__quarantined_rows": """
        ('orders_shop', 'orders_1.csv', 4, 'has_customer', 'no customer', 'l1', 'open'),
        ('orders_shop', 'orders_1.csv', 9, 'has_customer', 'no customer', 'l1', 'released')
    ) as t (feed_name, file, line, rules, reason, load_id, status)""",
    "quality.dq__data_warnings": """
        ('no refunds', '没有退款', 'orders_shop', 'shop', '', 7, 'deliver refunds', '请提供退款', 'warning', 'k')
    ) as t (warning, warning_zh, feed, source, detail, row_count, remedy, remedy_zh, severity, warning_key)""",
}
COMMENT = "comment on column marts.satisfaction__waves.scored_count is 'Answers with a score.'"


def make_workspace(folder: Path) -> Settings:
    """A workspace whose generation 1 is published; its survey is SIMULATED, its drivers are not delivered."""
    (folder / "dags" / "feeds").mkdir(parents=True)
    (folder / "expectations").mkdir()
    (folder / "dags" / "feeds" / "orders_shop.yml").write_text(FEED, encoding="utf-8")
    (folder / "dags" / "feeds" / "survey_responses.yml").write_text(SURVEY, encoding="utf-8")
    (folder / "loyalty.yml").write_text("", encoding="utf-8")
    settings = load_settings(folder)
    publish(settings, 1, as_of="2026-03-01")
    return settings


def publish(settings: Settings, number: int, as_of: str, *changes: str, **described: object) -> None:
    """Publish the tables as a generation of this number, after statements that change them.

    `described` is put into its manifest.
    """
    folder = settings.serve / "generations" / f"{number:06d}"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "loyalty.duckdb")) as connection:
        connection.execute("create schema marts; create schema quality")
        for table, values in TABLES.items():
            connection.execute(f"create table {table} as select * from (values {values}")
        for statement in (COMMENT, *changes):
            connection.execute(statement)
    manifest = {
        "as_of": as_of,
        "build_id": f"build-{number}",
        "code_version": "test",
        "files": {},
        "marts": {},
        "published_at": f"{as_of}T05:0{number}:00+00:00",
        "tables": {},
    } | described
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    link = settings.serve / "current"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("generations") / folder.name)
