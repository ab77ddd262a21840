"""A workspace of SIMULATED exports of any size: orders with lines, refunds, answers and tickets, the same every time.

Customers and products are skewed as in shops: a customer's number is `customers * u^3` for an even u, so that the first
tenth of the numbers has nearly half of the orders; a product's is `products * u^2`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import yaml

LINES_PER_ORDER, ORDERS_PER_CUSTOMER = 4, 10
PRODUCTS = 5_000
FIRST_DAY, HISTORY_DAYS = "2023-01-01", 1_094
SECONDS_PER_DAY = 86_400

# Everything a night brings, by canonical feed: SQL over the numbers of its orders, `i`.
EXPORTS = {
    "orders": """
        select i::varchar as order_id, {customer}::varchar as customer_id, {time} as ordered_at,
            (hash(i * 13) % 500 / 100)::decimal(18, 4) as shipping_amount
        from orders""",
    "order_lines": """
        select i::varchar as order_id, line::integer as line_number,
            floor({products} * pow(hash(i * 4 + line) % 1000003 / 1000003, 2))::bigint::varchar as product_id,
            (1 + hash(i * 4 + line) % 3)::decimal(18, 4) as quantity,
            (hash(i * 11 + line) % 300 / 100)::decimal(18, 4) as discount_amount,
            ((400 + hash(i * 5 + line) % 9000) / 100 * (1 + hash(i * 4 + line) % 3))::decimal(18, 4) as net_amount,
            ((400 + hash(i * 5 + line) % 9000) / 161 * (1 + hash(i * 4 + line) % 3))::decimal(18, 4) as cost_amount
        from orders, range(4) as lines (line)""",
    "refunds": """
        select 'r' || i as refund_id, i::varchar as order_id, {time} + interval 9 day as refunded_at,
            (4 + hash(i) % 40)::decimal(18, 4) as amount
        from orders where hash(i * 17) % 40 = 0""",
    "tickets": """
        select 't' || i as ticket_id, {customer}::varchar as customer_id, i::varchar as order_id,
            {time} + interval 3 day as opened_at, {time} + to_hours(72 + (hash(i * 31) % 96)::integer) as resolved_at
        from orders where hash(i * 29) % 50 = 0""",
    "survey_responses": """
        select 'a' || i as response_id, 'pulse' as survey_id, {customer}::varchar as customer_id,
            i::varchar as order_id, {time} + interval 5 day as submitted_at
        from orders where hash(i * 19) % 20 = 0""",
    "survey_answers": """
        select 'a' || i as response_id, question_code,
            case question_code when 'overall' then 1 + hash(i * 37) % 5 else hash(i * 41) % 11 end::varchar as value
        from orders, (values ('overall'), ('recommend')) as questions (question_code)
        where hash(i * 19) % 20 = 0""",
}
# The registered customers; most have no order. The first numbers are those of the orders.
REGISTERED = """
    select i::varchar as customer_id, timestamp '{first}' + to_days((i % 1000)::integer) as created_at,
        ['18-29', '30-44', '45-59', '60+'][1 + i % 4] as age_band
    from range({count}) as registered (i)
"""
QUESTIONS = """\
survey_id,question_code,role,scale_min,scale_max
pulse,overall,overall_satisfaction,1,5
pulse,recommend,recommend,0,10
"""
FEED = {
    "source": "bench",
    "group": "orders",
    "owner": "bench",
    "description": "SIMULATED rows for the benchmark.",
    "time_zone": "UTC",
    "currency": "EUR",
}


@dataclass(frozen=True)
class Shop:
    """A workspace with exports of so many order lines, and a list of so many registered customers, if any."""

    folder: Path
    lines: int
    registered: int = 0

    @property
    def orders(self) -> int:
        """Orders of the history."""
        return self.lines // LINES_PER_ORDER

    @property
    def exports(self) -> Path:
        """Where the exports lie."""
        return self.folder / "var" / "exports"

    def open(self, memory_limit: str) -> None:
        """Make the workspace, with the exports of the whole history."""
        feeds = self.folder / "dags" / "feeds"
        feeds.mkdir(parents=True)
        self.exports.mkdir(parents=True)
        (self.folder / "loyalty.yml").write_text(
            f"max_age_days: 36500\nmemory_limit: {memory_limit}\n", encoding="utf-8"
        )
        for name in (*EXPORTS, "customers") if self.registered else EXPORTS:
            feed = {"feed": name, **FEED, "format": "parquet", "path": f"exports/{name}_{{date}}.parquet"}
            (feeds / f"{name}.yml").write_text(yaml.safe_dump(feed), encoding="utf-8")
        questions = {"feed": "survey_questions", **FEED, "path": "exports/survey_questions_{date}.csv"}
        (feeds / "survey_questions.yml").write_text(yaml.safe_dump(questions), encoding="utf-8")
        (self.exports / "survey_questions_2025-12-30.csv").write_text(QUESTIONS, encoding="utf-8")
        self._export("2025-12-30", 0, self.orders, FIRST_DAY, HISTORY_DAYS)
        if self.registered:
            duckdb.sql(REGISTERED.format(count=self.registered, first=FIRST_DAY)).write_parquet(
                str(self.exports / "customers_2025-12-30.parquet")
            )

    def next_night(self) -> int:
        """Write the exports of one more day, 0.2 % of the history; the number of new lines."""
        new = max(1, self.orders // 500)
        self._export("2025-12-31", self.orders, new, "2025-12-30", 1)
        return new * LINES_PER_ORDER

    def _export(self, day: str, first: int, count: int, start: str, days: int) -> None:
        customers = max(1, self.orders // ORDERS_PER_CUSTOMER)
        values = {
            "products": PRODUCTS,
            "customer": f"floor({customers} * pow(hash(i * 7) % 1000003 / 1000003, 3))::bigint",
            "time": f"timestamp '{start}' + to_seconds(((i - {first}) / {count} * {days * SECONDS_PER_DAY})::bigint)",
        }
        with duckdb.connect() as connection:
            for name, select in EXPORTS.items():
                connection.execute(
                    f"create or replace table export as with orders as (select i from range({first}, {first + count}) "
                    f"as orders (i)) {select.format(**values)}"
                )
                if connection.execute("select count(*) from export").fetchall() != [(0,)]:  # a quiet day has no file
                    connection.execute(f"copy export to '{self.exports / f'{name}_{day}.parquet'}'")
