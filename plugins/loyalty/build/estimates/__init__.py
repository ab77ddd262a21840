"""The estimation step: what SQL should not do.

Python fits on sufficient statistics that SQL has aggregated (counts of cells, exact sums), writes small
parameter tables into the schema `estimates`, and SQL scores everybody from them. Every fit comes with its
diagnostics; one that cannot be had says so and why, and its parameters stay away.
"""

from loyalty.build.estimates.fits import Fit
from loyalty.build.estimates.runner import ensure_tables, run

__all__ = ["Fit", "ensure_tables", "run"]
