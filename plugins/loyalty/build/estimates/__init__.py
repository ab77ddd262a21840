"""The estimation step: what SQL should not do.

Python fits on sufficient statistics that SQL has aggregated (counts of cells, exact sums), writes small
parameter tables into the schema `estimates`, and SQL scores all customers from them. Every fit comes with its
diagnostics; one that cannot be made has its reason instead, and no parameters.
"""

from loyalty.build.estimates.fits import Fit
from loyalty.build.estimates.runner import ensure_tables, run

__all__ = ["Fit", "ensure_tables", "run"]
