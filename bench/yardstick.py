"""What the core of the marts costs by hand on the same exports: DuckDB's SQL, and pandas.

Both make revenue and margin by customer and month, cohorts, gaps between orders, RFM, the whale curve, satisfaction by
month and what follows an answer: a small part of what the warehouse makes, and nothing is checked.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

SQL = """
create table order_sums as
select o.customer_id, date_trunc('month', o.ordered_at) as month, o.order_id, o.ordered_at,
    sum(l.net_amount - l.discount_amount) as net, sum(l.cost_amount) as cost, max(o.shipping_amount) as shipping
from lines l join orders o using (order_id) group by all;
create table customer_months as
select customer_id, month, count(*) as orders, sum(net) as net, sum(net - cost) as margin from order_sums group by all;
create table customers as
select customer_id, min(ordered_at) as first_at, max(ordered_at) as last_at, count(*) as orders, sum(net) as net,
    sum(net - cost - shipping - 0.3 - net * 0.02) as profit
from order_sums group by all;
create table cohorts as
select date_trunc('month', first_at) as cohort, datediff('month', first_at, month) as age,
    count(distinct customer_id) as active, sum(m.net) as net, sum(margin) as margin
from customer_months m join customers using (customer_id) group by all;
create table gaps as
select customer_id, median(gap) as median_gap, stddev(gap) / avg(gap) as cv
from (
    select customer_id,
        datediff('day', lag(ordered_at) over (partition by customer_id order by ordered_at), ordered_at) as gap
    from order_sums
) where gap is not null group by all;
create table rfm as
select customer_id, ntile(5) over (order by last_at) as r, ntile(5) over (order by orders) as f,
    ntile(5) over (order by net) as m
from customers;
create table whale_curve as
select customer_id, profit, sum(profit) over by_profit / sum(profit) over () as cumulative
from customers window by_profit as (order by profit desc, customer_id);
create table satisfaction as
select date_trunc('month', submitted_at) as month, question_code, count(*) as answers, avg(value::double) as mean
from responses join answers using (response_id) group by all;
create table follow_up as
select value, count(*) as answers, avg(exists (
    select 1 from order_sums o where o.customer_id = r.customer_id and o.ordered_at > r.submitted_at
        and o.ordered_at <= r.submitted_at + interval 90 day
)::integer) as bought_again
from responses r join answers using (response_id) where question_code = 'overall' group by all;
"""
FILES = {
    "orders": "orders",
    "lines": "order_lines",
    "responses": "survey_responses",
    "answers": "survey_answers",
}


def with_duckdb(exports: Path, threads: int = 2) -> int:
    """The hand-written SQL on the newest history; how many cells the cohorts have."""
    with duckdb.connect() as connection:
        connection.execute(f"set threads = {threads}")
        for name, feed in FILES.items():
            connection.execute(f"create view {name} as from '{exports}/{feed}_2025-12-30.parquet'")
        connection.execute(SQL)
        return int(connection.execute("select count(*) from cohorts").fetchall()[0][0])


def with_pandas(exports: Path) -> int:
    """The same in pandas; how many cells the cohorts have."""
    orders, lines, responses, answers = (
        pd.read_parquet(exports / f"{feed}_2025-12-30.parquet") for feed in FILES.values()
    )
    for frame, columns in ((lines, ("net_amount", "discount_amount", "cost_amount")), (orders, ("shipping_amount",))):
        for column in columns:
            frame[column] = frame[column].astype(float)
    lines["net"] = lines.net_amount - lines.discount_amount
    sums = lines.groupby("order_id").agg(net=("net", "sum"), cost=("cost_amount", "sum"))
    sums = sums.join(orders.set_index("order_id")).reset_index()
    sums["month"] = sums.ordered_at.dt.to_period("M").dt.to_timestamp()
    sums["profit"] = sums.net - sums.cost - sums.shipping_amount - 0.3 - sums.net * 0.02
    months = sums.groupby(["customer_id", "month"]).agg(orders=("order_id", "size"), net=("net", "sum")).reset_index()
    customers = sums.groupby("customer_id").agg(
        first=("ordered_at", "min"),
        last=("ordered_at", "max"),
        orders=("order_id", "size"),
        net=("net", "sum"),
        profit=("profit", "sum"),
    )
    aged = months.join(customers["first"], on="customer_id")
    aged["age"] = (aged.month.dt.year - aged["first"].dt.year) * 12 + aged.month.dt.month - aged["first"].dt.month
    cohorts = aged.groupby([aged["first"].dt.to_period("M"), "age"]).customer_id.nunique()
    ordered = sums.sort_values(["customer_id", "ordered_at"])
    ordered["gap"] = ordered.groupby("customer_id").ordered_at.diff().dt.days
    ordered.dropna(subset=["gap"]).groupby("customer_id").gap.agg(["median", "std", "mean"])
    for column in ("last", "orders", "net"):
        customers[f"{column}_fifth"] = pd.qcut(customers[column].rank(method="first"), 5, labels=False)
    curve = customers.sort_values("profit", ascending=False).profit
    _ = curve.cumsum() / curve.sum()
    answered = answers.merge(responses, on="response_id")
    answered["value"] = answered["value"].astype(float)
    answered.groupby([answered.submitted_at.dt.to_period("M"), "question_code"]).value.agg(["size", "mean"])
    overall = answered[answered.question_code == "overall"].sort_values("submitted_at")
    later = pd.merge_asof(
        overall,
        sums[["customer_id", "ordered_at"]].sort_values("ordered_at"),
        left_on="submitted_at",
        right_on="ordered_at",
        by="customer_id",
        direction="forward",
        allow_exact_matches=False,
    )
    later["bought_again"] = (later.ordered_at - later.submitted_at).dt.days < 90
    later.groupby("value").bought_again.mean()
    return len(cohorts)
