"""What the published data warn of: rows that were used and may not mean what they were taken for."""

from __future__ import annotations

from dataclasses import dataclass

from loyalty.common.counted import counted
from loyalty.common.errors import UserError
from loyalty.common.settings import Settings
from loyalty.publish.generations import current_generation
from loyalty.read.query import query

COLUMNS = "warning, feed, source, detail, row_count, remedy, severity"


@dataclass(frozen=True)
class DataWarning:
    """One row of `quality.dq__data_warnings`."""

    warning: str
    feed: str
    source: str
    detail: str
    row_count: int
    remedy: str
    severity: str

    @property
    def sentence(self) -> str:
        """What is warned of, where, in how many rows, and what to do."""
        rows = counted(self.row_count, "row")
        return f"{self.feed} of {self.source}: {self.warning} `{self.detail}` in {rows}: {self.remedy}"


def data_warnings(settings: Settings) -> list[DataWarning]:
    """The warnings of the current generation; none without one."""
    if current_generation(settings) is None:
        return []
    try:
        rows = query(settings, f"select {COLUMNS} from dq__data_warnings order by feed, source, warning, detail")
    except UserError:  # a generation of an earlier version has no such table
        return []
    return [DataWarning(*row) for row in rows]
