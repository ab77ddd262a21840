"""A file that has its columns and no row: a quiet day, or a rule that wants rows; never an unexpected error."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loyalty.common.settings import load_settings, shipped
from loyalty.land.landing import load_feed
from loyalty.pull.contract import load_contract
from worlds.opened import opened
from worlds.own_feeds import Workspace


def write(folder: Path, columns: list[str], kind: str) -> None:
    """An export with these columns, as text or as its own tables, and no row."""
    folder.mkdir(parents=True)
    if kind == "csv":
        (folder / "export_2026-05-04.csv").write_text(",".join(columns) + "\n", encoding="utf-8")
    else:
        table = pa.table({name: pa.array([], pa.string()) for name in columns})
        pq.write_table(table, folder / "export_2026-05-04.parquet")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("feed", sorted(load_contract()))
def test_a_file_without_rows_is_accepted_or_named_in_a_sentence(workspace: Workspace, feed: str, kind: str) -> None:
    canonical = load_contract()[feed]
    columns = list(canonical.columns)
    write(workspace.settings.home / "exports", columns, kind)
    declared = workspace.feed(
        feed,
        feed=feed,
        path=f"exports/export_{{date}}.{kind}",
        format=None if kind == "csv" else kind,
        columns={name: name for name in columns},
    )
    settings = load_settings(workspace.folder, expectations=shipped("expectations"))
    (outcome,) = load_feed(opened(settings), declared)
    assert outcome.rows == 0
    assert "unexpected" not in outcome.message
    assert outcome.outcome == "accepted" or "row_count is 0" in outcome.message
