"""Estimated wallets: spend regressed on the peers' attributes, for every category and period."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from operator import itemgetter

import duckdb

from loyalty.build.estimates import wallet
from loyalty.build.estimates.fits import Fit
from loyalty.build.estimates.tables import Columns, read_statistics, replace_table

STATISTICS = "statistics.stat_wallet__spend_bins"
ATTRIBUTES = ("peer_level", "age_band", "tenure_band")

TABLES: dict[str, Columns] = {
    "wallet_coefficients": {
        "source": "varchar",
        "category": "varchar",
        "period_grain": "varchar",
        "period_start_date": "date",
        "attribute": "varchar",
        "level": "varchar",
        "coefficient": "double",
        "as_of": "date",
    },
}


def fit(connection: duckdb.DuckDBPyConnection, as_of: date) -> list[Fit]:
    """Fit every category and period; one row per coefficient."""
    columns = (
        "source",
        "category",
        "period_grain",
        "period_start_date",
        *ATTRIBUTES,
        "amount",
        "customer_count",
        "is_held_out",
    )
    statistics = read_statistics(connection, STATISTICS, columns)
    fits, rows = [], []
    for (source, category, grain, start), group in groupby(statistics, key=itemgetter(0, 1, 2, 3)):
        bins = [wallet.SpendBin(row[4:7], float(row[7]), *row[8:]) for row in group]
        result = wallet.fit_wallet(f"{source}, {category}, {grain} from {start}", ATTRIBUTES, bins)
        fits.append(result.fit)
        rows += [
            (source, category, grain, start, attribute, level, coefficient, as_of)
            for (attribute, level), coefficient in result.coefficients.items()
        ]
    replace_table(connection, "wallet_coefficients", TABLES["wallet_coefficients"], rows)
    return fits
