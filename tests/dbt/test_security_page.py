"""SECURITY.md says what readers of the marts can find out about single people."""

from __future__ import annotations

import re
from pathlib import Path

from worlds.warehouse import project

PAGE = Path(__file__).parents[2] / "SECURITY.md"
PEOPLE = {"customer_key", "customer_id", "response_key", "account_key"}


def test_suppressed_cells_every_mart_with_rows_of_people_is_on_the_page() -> None:
    """A mart with the key of a person can be read row by row: an empty rate of a small base hides nothing there."""
    of_people = {
        node.name
        for node in project().nodes.values()
        if node.resource_type == "model" and node.schema == "marts" and PEOPLE & set(node.columns)
    }
    named = re.search(r"<!-- people -->(.*?)<!-- end -->", PAGE.read_text(encoding="utf-8"), re.S)
    assert named
    assert set(re.findall(r"`(\w+)`", named[1])) == of_people, f"name these marts in {PAGE}"
