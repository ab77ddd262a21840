"""What is to be built and why: the accepted loads against what the last published build has seen."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from loyalty.build.raw_views import dated_loads
from loyalty.build.work_file import lock_file
from loyalty.common.counted import counted
from loyalty.common.duckdb_session import duckdb_config
from loyalty.common.ledger import Event, Ledger, Load
from loyalty.common.lock import holder_of
from loyalty.common.settings import Settings
from loyalty.common.sql import quote_text
from loyalty.common.workspace import Workspace


@dataclass(frozen=True)
class Plan:
    """What is to be done and why; `build_id` is the finished build that only needs publishing."""

    needs_build: bool
    needs_publish: bool
    reasons: tuple[str, ...]
    new_loads: tuple[Load, ...] = ()
    build_id: str | None = None
    is_full: bool = field(default=False)

    @property
    def is_needed(self) -> bool:
        """Whether a run would change what readers see."""
        return self.needs_build or self.needs_publish


def make_plan(workspace: Workspace, as_of: date | None = None) -> Plan:
    """Which accepted loads the last published build has not seen, and what else has changed since."""
    settings, ledger = workspace.settings, workspace.ledger
    if not dated_loads(ledger.load_totals()):
        return Plan(
            False,
            False,
            ("no orders have been accepted yet, nor anything else with a date, so there is nothing to build",),
        )
    built = last_build(ledger)
    if built is None:
        return Plan(True, True, ("nothing has been built yet",), tuple(ledger.loads()), is_full=True)
    new_loads = tuple(ledger.loads(after=built.data["load_seq"]))
    reasons = (
        *_load_reasons(new_loads),
        *_withdrawal_reasons(ledger, built),
        *_setting_reasons(settings, ledger, built, as_of),
    )
    if reasons:
        return Plan(True, True, reasons, new_loads, is_full=needs_full(settings, ledger, built))
    build_id = built.data["build_id"]
    has_link = (settings.serve / "current").exists()
    if (is_published(ledger, build_id) and has_link) or is_held(ledger):
        return Plan(
            False, False, ("no load, setting or code has changed since the published build",), build_id=build_id
        )
    if build_id in rolled_back_builds(ledger):
        reason = f"build {build_id} was rolled back, so it is made again"
        return Plan(True, True, (reason,), is_full=needs_full(settings, ledger, built))
    if not _is_in_work_file(settings, build_id):
        reason = f"build {build_id} was finished, but the work file does not hold it any more"
        return Plan(True, True, (reason,), is_full=needs_full(settings, ledger, built))
    return Plan(False, True, (f"build {build_id} is finished and not published",), build_id=build_id)


def _is_in_work_file(settings: Settings, build_id: str) -> bool:
    """Whether a finished build can be published: a later build that was killed, or a person, may have removed it.

    While another run holds the lock nothing is known, and the steps that need the file wait for it.
    """
    if holder_of(lock_file(settings)) is not None:
        return True
    if not settings.work_file.exists():
        return False
    with duckdb.connect(config=duckdb_config(settings)) as connection:
        try:
            connection.execute(f"attach {quote_text(settings.work_file)} as work (read_only)")
            return connection.execute("select build_id from work.meta.build").fetchall() == [(build_id,)]
        except duckdb.Error:
            return False


def last_build(ledger: Ledger) -> Event | None:
    """The newest finished build."""
    return ledger.last("build")


def build_of(ledger: Ledger, build_id: str) -> Event | None:
    """The record of a finished build; None where the ledger has none."""
    return next((event for event in ledger.newest_first("build") if event.data["build_id"] == build_id), None)


def is_published(ledger: Ledger, build_id: str) -> bool:
    """Whether readers see this build: published and not rolled back since, or shown again by the last rollback."""
    for event in ledger.newest_first("publish", "rollback", "build"):
        if event.kind == "publish" and event.data["build_id"] == build_id:
            return True
        if event.kind == "rollback":
            return event.data.get("build_id") == build_id
        if event.kind == "build" and event.data.get("build_id") == build_id:
            return False  # it cannot have been published before it was built
    return False


def is_held(ledger: Ledger) -> bool:
    """Whether a rollback holds publishing until `loyalty publish --resume`."""
    event = ledger.last("rollback", "resume")
    return event is not None and event.kind == "rollback"


def rolled_back_builds(ledger: Ledger) -> set[str]:
    """The builds that a rollback took away from readers: none of them is published again.

    A build whose own generation was chosen by a later rollback is not one of them. A build that published nothing new,
    because the generation held the same marts already, goes the way of that generation.
    """
    builds: dict[int, set[str]] = defaultdict(set)  # generation -> the builds whose marts it holds
    rolled_back: set[str] = set()
    for event in ledger.events("publish", "rollback"):
        chosen = event.data["generation"]
        builds[chosen].add(event.data.get("build_id", ""))
        if event.kind == "rollback":
            newer = [builds[number] for number in builds if number > chosen]
            rolled_back = rolled_back.union(event.data.get("rolled_back", []), *newer) - builds[chosen]
    return rolled_back


def code_version(settings: Settings) -> str:
    """A hash of all code that decides what the marts hold; what landing makes of a file is in its load_id."""
    package = Path(__file__).parents[1]
    files = [
        *_files(settings.dbt_project_dir, "*.sql", "*.yml", "*.csv"),
        *_files(package / "build" / "estimates", "*.py"),
        *[(name, package / name) for name in ("pull/contract.yml", "build/raw_views.py")],
    ]
    return _hash_files(files)


def history_version(settings: Settings) -> str:
    """A hash of the code that made the tables which remember loads; when it changes, they are made again."""
    project = settings.dbt_project_dir
    folders = [project / "models" / "staging", project / "models" / "intermediate", project / "macros"]
    return _hash_files([file for folder in folders for file in _files(folder, "*.sql")])


def _files(folder: Path, *patterns: str) -> list[tuple[str, Path]]:
    found = [file for pattern in patterns for file in folder.rglob(pattern)]
    relative = [(file.relative_to(folder).as_posix(), file) for file in found]
    return sorted(pair for pair in relative if not pair[0].startswith(("target/", "logs/")))


def _hash_files(files: Sequence[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, file in files:
        digest.update(name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def chosen_vars(settings: Settings) -> dict[str, Any]:
    """The vars that are set, and the reporting currency, as the ledger can keep them."""
    chosen = {**settings.vars, "reporting_currency": settings.reporting_currency}
    named = {name: value for name, value in chosen.items() if value is not None}
    return dict(json.loads(json.dumps(named, sort_keys=True, default=str)))


def _load_reasons(new_loads: Sequence[Load]) -> list[str]:
    by_name = sorted(new_loads, key=lambda load: load.feed_name)
    counts = [(name, len(list(loads))) for name, loads in groupby(by_name, key=lambda load: load.feed_name)]
    return [f"{counted(count, 'new load')} of {name}" for name, count in counts]


def _withdrawal_reasons(ledger: Ledger, built: Event) -> list[str]:
    words = {
        "supersede": "a load was replaced by a reading with another mapping",
        "forget": "a person was forgotten",
        "withdraw": "a load was withdrawn or brought back",
        "rekey": "the key was rotated",
    }
    since = ledger.events("delivery", *words, after=built.data["ledger_seq"])
    kinds = {"supersede" if event.data.get("supersedes") else event.kind for event in since} - {"delivery"}
    return [words[kind] for kind in sorted(kinds)]


def _setting_reasons(settings: Settings, ledger: Ledger, built: Event, as_of: date | None) -> list[str]:
    reasons = []
    if built.data["code_version"] != code_version(settings):
        reasons.append("the models or the code have changed")
    if changed := _changed_vars(settings, built):
        reasons.append(f"{changed}; core, estimates and marts are made again, landing is not read again")
    wanted = as_of or ledger.newest_version("orders")
    if (wanted and wanted.isoformat() != built.data["as_of"]) or (
        built.data["is_as_of_given"] and as_of is None and not wanted
    ):
        reasons.append(f"the last build was as of {built.data['as_of']}")
    return reasons


def _changed_vars(settings: Settings, built: Event) -> str:
    """Which vars differ from those of the last build, with both values; empty when none does."""
    before, now = built.data.get("chosen", {}), chosen_vars(settings)
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    words = [f"{name} from {before.get(name, 'the default')} to {now.get(name, 'the default')}" for name in names]
    return f"changed settings: {', '.join(words)}" if words else ""


def needs_full(settings: Settings, ledger: Ledger, built: Event) -> bool:
    return bool(_withdrawal_reasons(ledger, built)) or built.data["history_version"] != history_version(settings)
