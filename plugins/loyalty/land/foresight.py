"""Many small files of one feed, typed and checked together before they are landed one by one.

To check a file costs the same for one row as for thousands. So the rows of a group of small files are taken as one
batch, and every file gets the results of its own rows. A file with a row that is broken, personal or of a forgotten
person is left out and landed as if nothing had been foreseen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from loyalty.common.workspace import Workspace
from loyalty.land.canonical import Plan, plan_columns, to_canonical
from loyalty.land.gate import RuleResult, Suite, check_each_row, check_frame, foresee_loads, is_of_rows
from loyalty.land.load_writer import personal_texts
from loyalty.land.loads import manifest_before
from loyalty.land.profile import MEMORY, counts_of_rows, of_given_columns, rate_of_unknown_customers
from loyalty.privacy.keys import Key, load_key
from loyalty.privacy.suppression import Forgotten, load_forgotten
from loyalty.pull.feeds import FeedConfig
from loyalty.pull.formats.batch import Batch
from loyalty.pull.formats.read import read_batches
from loyalty.pull.sources.files import RawFile, dated_ahead, fetch, is_remote, local_path

GROUP = 200  # files
SMALL_BYTES = 100_000
PLACE = "_place"


@dataclass(frozen=True)
class Foreseen:
    """A small file of which every row is good: its copy, its rows as they land, and what the checks found."""

    raw: RawFile
    batch: Batch
    plan: Plan
    table: pa.Table
    results: list[RuleResult]
    profile: dict[str, Any]


@dataclass(frozen=True)
class Foresight:
    """What is known of a group of files, which count as received at `at`; and the load rules that passed, by value."""

    at: datetime
    files: dict[str, Foreseen] = field(default_factory=dict)
    passed: set[tuple[Any, ...]] = field(default_factory=set)


@dataclass(frozen=True)
class _Read:
    """A small file that was read."""

    uri: str
    raw: RawFile
    batch: Batch


def foresee(workspace: Workspace, feed: FeedConfig, suite: Suite, uris: Sequence[str], now: datetime) -> Foresight:
    """Type and check the small files of a group together. What cannot be foreseen is left out: landing says why."""
    foresight = Foresight(now)
    if len(uris) < 2 or not is_of_rows(suite):
        return foresight
    key, forgotten = load_key(workspace.settings), load_forgotten(workspace.settings)
    given_before = manifest_before(workspace, feed).get("given_columns", [])
    for header, group in _by_header(_read_small(workspace, feed, uris, now)).items():
        try:
            plan = plan_columns(feed, list(header))
            files = _checked(workspace, feed, suite, group, plan, key, forgotten, now)
            given = {*plan.given, *given_before}
            passed = foresee_loads(suite, [of_given_columns(file.profile, given) for file in files.values()])
        except Exception:  # noqa: S112 - one file may do this to its group; landing each file gives the reason
            continue
        foresight.files.update(files)
        foresight.passed.update(passed)
    return foresight


def _read_small(workspace: Workspace, feed: FeedConfig, uris: Sequence[str], now: datetime) -> list[_Read]:
    settings = workspace.settings
    found = []
    for uri in uris:
        try:
            if is_remote(uri) or local_path(settings, uri).stat().st_size > SMALL_BYTES or dated_ahead(feed, uri, now):
                continue
            raw = fetch(settings, feed, uri)
            batches = list(read_batches(raw.copy, feed, settings.batch_rows, settings.max_file_bytes))
        except Exception:  # noqa: S112 - landing the file gives the reason
            continue
        if len(batches) == 1 and batches[0].cells.num_rows and not batches[0].bad_lines and not batches[0].trailer:
            found.append(_Read(uri, raw, batches[0]))
    return found


def _by_header(read: list[_Read]) -> dict[tuple[str, ...], list[_Read]]:
    groups: dict[tuple[str, ...], list[_Read]] = defaultdict(list)
    for one in read:
        groups[tuple(one.batch.cells.column_names)].append(one)
    return groups


def _checked(
    workspace: Workspace,
    feed: FeedConfig,
    suite: Suite,
    group: list[_Read],
    plan: Plan,
    key: Key,
    forgotten: Forgotten,
    now: datetime,
) -> dict[str, Foreseen]:
    """The files of a group in which every row is good."""
    batch = Batch(
        pa.concat_tables([one.batch.cells for one in group]),
        pa.concat_arrays([pa.array(one.batch.lines) for one in group]),
    )
    typed = to_canonical(batch, plan, key)
    frame = check_frame(typed.table, feed.canonical, suite, pd.Timestamp(now))
    results, broken = check_each_row(suite, frame)
    critical = {rule.name for rule in suite.rows if rule.severity == "critical"}
    bad = {fault.row for fault in typed.faults}.union(*(rows for name, rows in broken.items() if name in critical))
    masks = [*personal_texts(feed, plan, typed.table), *_of_forgotten(feed, typed.table, forgotten)]
    bad = bad.union(*(pc.indices_nonzero(mask).to_pylist() for mask in masks))
    sizes = [one.batch.cells.num_rows for one in group]
    profiles = _profiles(workspace, feed, typed.table, sizes, now)
    foreseen = {}
    for place, (one, size) in enumerate(zip(group, sizes, strict=True)):
        rows = range(sum(sizes[:place]), sum(sizes[:place]) + size)
        if bad.intersection(rows):
            continue
        of_file = [
            replace(result, evaluated=size, failed=sum(row in rows for row in broken.get(result.rule, ())))
            for result in results
        ]
        table = typed.table.slice(rows.start, size).combine_chunks()
        foreseen[one.uri] = Foreseen(one.raw, one.batch, plan, table, of_file, profiles[place])
    return foreseen


def _of_forgotten(feed: FeedConfig, table: pa.Table, forgotten: Forgotten) -> list[pa.Array]:
    """Which rows are of a forgotten person, or of an order or a questionnaire of theirs."""
    if not forgotten:
        return []
    return [forgotten.doomed(table, feed.canonical, feed.source), forgotten.names_any(table, feed.source)]


def _profiles(
    workspace: Workspace, feed: FeedConfig, table: pa.Table, sizes: list[int], now: datetime
) -> list[dict[str, Any]]:
    """The counts of each file, and its share of unknown customers."""
    places = pa.array([place for place, size in enumerate(sizes) for _ in range(size)], pa.int32())
    received_at = now.astimezone(UTC).replace(tzinfo=None)
    with duckdb.connect(config={"memory_limit": MEMORY, "threads": workspace.settings.threads}) as connection:
        connection.register("load", table.append_column(PLACE, places))
        counted = counts_of_rows(connection, feed.canonical, received_at, PLACE)
        unknown = rate_of_unknown_customers(connection, workspace, feed, PLACE)
    return [
        counted[place] | {"row_count": size, "quarantined_count": 0, "unknown_customer_rate": unknown.get(place)}
        for place, size in enumerate(sizes)
    ]
