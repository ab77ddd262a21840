"""Charts on a dark page: the same charts in lighter colours."""

from __future__ import annotations

from typing import Any

from loyalty.read.charts import BLUE, GREEN, GREY, GRID, INK, LIGHT_GREY, ORANGE, PAPER, PURPLE

DARK = {
    INK: "#e6eaee",
    PAPER: "transparent",
    GRID: "#39424c",
    LIGHT_GREY: "#4a545f",
    GREY: "#9aa5b0",
    BLUE: "#6fb1de",
    ORANGE: "#f0935b",
    GREEN: "#74bf87",
    PURPLE: "#b592d4",
}


def in_dark(spec: Any) -> Any:
    """A chart's specification with the colours of a dark page; data stay as they are."""
    if isinstance(spec, dict):
        return {key: value if key == "datasets" else in_dark(value) for key, value in spec.items()}
    if isinstance(spec, list):
        return [in_dark(item) for item in spec]
    return DARK.get(spec, spec) if isinstance(spec, str) else spec
