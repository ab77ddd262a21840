"""What a reader chooses to see: a period, a segment, a shop, a survey, a currency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from loyalty.common.sql import quote_text

# Filters by name, with the word that readers see.
FILTERS = {
    "period": "period",
    "segment": "segment",
    "source": "source",
    "survey_id": "survey",
    "currency_code": "currency",
}


@dataclass(frozen=True)
class Choice:
    """What is chosen; None leaves a filter as each figure has it.

    Months are their first days, and the last one is in the period. `segment` is one value of the attribute
    `segment_by`; None takes all its values.
    """

    first_month: date | None = None
    last_month: date | None = None
    segment_by: str | None = None
    segment: str | None = None
    source: str | None = None
    survey_id: str | None = None
    currency_code: str | None = None

    @property
    def is_of_all_segments(self) -> bool:
        """Whether customers are split by an attribute and no segment of it is chosen."""
        return bool(self.segment_by and not self.segment)

    @property
    def names(self) -> list[str]:
        """The filters in which something is chosen."""
        return [name for name in FILTERS if self.condition(name)]

    def condition(self, name: str, period: str = "month") -> str:
        """SQL for one filter; empty where nothing is chosen. `period` is the column of the filter of that name."""
        if name == "period":
            ends = {">=": self.first_month, "<=": self.last_month}
            return " and ".join(f"{period} {sign} date {quote_text(day)}" for sign, day in ends.items() if day)
        if name == "segment":
            parts = {"segment_by": self.segment_by, "segment": self.segment if self.segment_by else None}
            condition = " and ".join(f"{column} = {quote_text(value)}" for column, value in parts.items() if value)
            return f"({condition})" if self.segment_by and self.segment else condition
        value = getattr(self, name)
        return f"{name} = {quote_text(value)}" if value else ""


EVERYTHING = Choice()
