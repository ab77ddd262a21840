"""Files as they arrive: dates ahead, names without a date or that do not fit, copies under way, moved workspaces."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from loyalty.common.settings import load_settings
from loyalty.land import landing
from loyalty.land.landing import LoadOutcome, load_feed, unseen_files
from loyalty.land.loads import load_folders, read_manifest
from loyalty.operate.nightly import unread_files
from loyalty.pull.sources import files
from worlds.opened import opened
from worlds.own_feeds import Workspace

NOW = datetime(2026, 5, 10, 5, tzinfo=UTC)
HEAD = "Order,Customer,When,Total\n"
ORDER = "1,ann,2026-05-04 10:00,10\n"


def load(
    workspace: Workspace, said: list[str] | None = None, now: datetime = NOW, **changes: object
) -> list[LoadOutcome]:
    feed = workspace.feed(**changes)
    write = said.append if said is not None else None
    return load_feed(opened(workspace.settings, write), feed, now=now)


def at(file: Path, day: str) -> None:
    moment = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    os.utime(file, (moment, moment))


def counted(workspace: Workspace) -> list[str]:
    return [load.uri.rpartition("/")[2] for load in opened(workspace.settings).ledger.loads()]


def test_a_name_with_a_date_that_has_not_come_is_rejected_until_it_comes(workspace: Workspace) -> None:
    workspace.export("orders_2062-05-10.csv", HEAD + ORDER)
    (outcome,) = load(workspace)
    assert outcome.outcome == "rejected"
    assert "its name has the date 2062-05-10, which has not come yet" in outcome.message
    assert load(workspace) == [], "it is not tried again every night"
    later = datetime(2062, 5, 11, tzinfo=UTC)
    assert [one.outcome for one in load(workspace, now=later)] == ["accepted"]


def test_the_date_of_a_place_ahead_of_utc_is_no_future(workspace: Workspace) -> None:
    workspace.export("orders_2026-05-11.csv", HEAD + ORDER)
    assert [one.outcome for one in load(workspace)] == ["accepted"]


@pytest.mark.parametrize(
    ("older", "newer"),
    [("orders_9.csv", "orders_10.csv"), ("orders_31.12.2025.csv", "orders_01.01.2026.csv"), ("z.csv", "a.csv")],
)
def test_undated_files_count_in_the_order_of_their_times_and_it_is_said(
    workspace: Workspace, older: str, newer: str
) -> None:
    at(workspace.export(newer, HEAD + ORDER.replace(",10\n", ",99\n")), "2026-05-02")
    at(workspace.export(older, HEAD + ORDER), "2026-05-01")
    said: list[str] = []
    assert [one.outcome for one in load(workspace, said, path="exports/*.csv")] == ["accepted", "accepted"]
    assert counted(workspace) == [older, newer]
    assert any("order of the files' times" in line and f"{older}, {newer}" in line for line in said)


def test_undated_files_of_one_time_are_rejected_with_the_ways_out(workspace: Workspace) -> None:
    for name in ("orders_1.csv", "orders_2.csv"):
        at(workspace.export(name, HEAD + ORDER), "2026-05-01")
    outcomes = load(workspace, path="exports/orders_*.csv")
    assert [one.outcome for one in outcomes] == ["rejected", "rejected"]
    assert "`version` column" in outcomes[0].message
    at(workspace.settings.home / "exports" / "orders_2.csv", "2026-05-02")
    assert [one.outcome for one in load(workspace, path="exports/orders_*.csv")] == ["accepted", "unchanged"]


def test_names_that_do_not_fit_are_named(workspace: Workspace) -> None:
    names = ["orders_20260504.csv", "orders_2026-05-04 (1).csv", "Orders_2026-05-04.csv", "orders_2026-02-30.csv"]
    for name in [*names, "orders_2026-05-04.csv", "order_lines_2026-05-04.csv", "readme.txt"]:
        workspace.export(name, HEAD + ORDER)
    workspace.feed()
    (sentence,) = unread_files(workspace.settings)
    assert all(name in sentence for name in names)
    assert "readme" not in sentence and "order_lines" not in sentence and "orders_2026-05-04.csv" not in sentence


def test_a_file_of_another_feed_is_not_taken_for_a_wrong_name(workspace: Workspace) -> None:
    workspace.feed()
    workspace.feed("orders_b", path="exports/orders_b_{date}.csv")
    workspace.export("orders_b_2026-05-04.csv", HEAD + ORDER)
    assert unread_files(workspace.settings) == []


def test_a_file_that_is_written_again_during_the_copy_is_left_for_the_next_run(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = workspace.export("orders_2026-05-04.csv", HEAD + ORDER)
    copy = files._copy

    def rewritten(*arguments: object) -> tuple[Path, str]:
        done = copy(*arguments)
        export.write_text(HEAD + ORDER.replace("ann", "bob"))  # as long as before
        at(export, "2026-05-05")
        return done

    monkeypatch.setattr(files, "_copy", rewritten)
    (outcome,) = load(workspace)
    assert outcome.is_transient and "still being written" in outcome.message
    monkeypatch.undo()
    assert [one.outcome for one in load(workspace)] == ["accepted"]


def test_a_moved_workspace_knows_its_files(workspace: Workspace, tmp_path: Path) -> None:
    for name, total, day in (("z", "10", "2026-05-01"), ("a", "99", "2026-05-02")):
        at(workspace.export(f"orders_{name}.csv", HEAD + f"1,ann,2026-05-04 10:00,{total}\n"), day)
        load(workspace, path="exports/orders_*.csv")
    shutil.copytree(workspace.folder, tmp_path / "moved")
    moved = load_settings(tmp_path / "moved")
    feed = workspace.feed(path="exports/orders_*.csv")
    assert unseen_files(opened(moved), feed, now=NOW) == []
    assert [load.uri for load in opened(moved).ledger.loads()] == ["exports/orders_z.csv", "exports/orders_a.csv"]


def test_a_file_with_a_known_stamp_is_not_read_again(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.export("orders_2026-05-04.csv", HEAD + ORDER)
    load(workspace)
    read: list[object] = []
    monkeypatch.setattr(landing, "checksum", lambda *arguments: read.append(arguments) or "")
    assert load(workspace) == []
    assert read == []


PERSONAL = "Order,Customer,When,Total,Kontakt,Note,Colour\n"


def landed(workspace: Workspace) -> list[str]:
    (folder,) = load_folders(workspace.settings.landing)
    names: list[str] = pq.read_table(next(folder.glob("part-*")), partitioning=None).column_names
    return [name for name in names if name.startswith("x_")]


def test_columns_with_addresses_or_telephones_are_not_landed_whatever_they_are_called(workspace: Workspace) -> None:
    rows = "1,ann,2026-05-04 10:00,10,ann@example.org,call +49 171 2345678,red\n"
    rows += "2,bob,2026-05-04 10:00,10,Bob B.,thanks,blue\n3,eve,2026-05-04 10:00,abc,Eve,,blue\n"
    workspace.export("orders_2026-05-04.csv", PERSONAL + rows)
    (outcome,) = load(workspace, max_quarantine_rate=0.9)
    assert landed(workspace) == ["x_colour"]
    assert {rule.rule for rule in outcome.rules if rule.failed} >= {
        "personal_column_x_kontakt",
        "personal_column_x_note",
    }
    (folder,) = load_folders(workspace.settings.landing)
    assert read_manifest(folder)["personal_columns"] == {"x_kontakt": "Kontakt", "x_note": "Note"}
    kept = [file for file in workspace.settings.home.rglob("*") if file.is_file() and "raw" not in file.parts]
    kept = [file for file in kept if "exports" not in file.parts]
    assert not [file for file in kept if b"ann@example.org" in file.read_bytes() or b"Eve" in file.read_bytes()]


def test_a_personal_column_stays_out_when_a_later_file_has_names_only(workspace: Workspace) -> None:
    workspace.export("orders_2026-05-04.csv", PERSONAL + "1,ann,2026-05-04 10:00,10,a@example.org,,red\n")
    load(workspace)
    shutil.rmtree(workspace.settings.landing / "orders" / "x", ignore_errors=True)
    workspace.export("orders_2026-05-05.csv", PERSONAL + "2,bob,2026-05-05 10:00,10,Bob B.,,red\n")
    load(workspace)
    newest = max(load_folders(workspace.settings.landing), key=lambda folder: read_manifest(folder)["file"])
    assert "x_kontakt" not in read_manifest(newest)["columns"]


def test_a_column_is_kept_by_name(workspace: Workspace) -> None:
    workspace.export("orders_2026-05-04.csv", PERSONAL + "1,ann,2026-05-04 10:00,10,a@example.org,,red\n")
    load(workspace, keep_columns=["Kontakt"])
    assert landed(workspace) == ["x_kontakt", "x_note", "x_colour"]


def test_an_address_in_a_text_of_the_contract_is_emptied_and_counted(workspace: Workspace) -> None:
    columns = {"order_id": "Order", "customer_id": "Customer", "ordered_at": "When", "total_amount": "Total"}
    workspace.export("orders_2026-05-04.csv", PERSONAL + "1,ann,2026-05-04 10:00,10,web,a@example.org,red\n")
    (outcome,) = load(workspace, columns=columns | {"channel": "Note"})
    (folder,) = load_folders(workspace.settings.landing)
    table = pq.read_table(next(folder.glob("part-*")), partitioning=None)
    assert table.column("channel").to_pylist() == [None]
    assert [rule.failed for rule in outcome.rules if rule.rule == "personal_text_channel"] == [1]
