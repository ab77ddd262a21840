"""The published generations: which there are, which one readers see, going back to an older, removing old ones.

A generation is a folder `serve/generations/000058/` that is never changed again: loyalty.duckdb, core.duckdb,
report.html, manifest.json, parquet/. Readers see the one that the link `serve/current` points at. `serve/state.json`
says whether publishing is held, because readers do not open the ledger.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from loyalty.build import plan
from loyalty.common.checksums import wrong_file
from loyalty.common.disk import sync
from loyalty.common.errors import UserError
from loyalty.common.failpoints import failpoint
from loyalty.common.lock import file_lock
from loyalty.common.settings import Settings
from loyalty.common.workspace import Workspace

MANIFEST = "manifest.json"
MARTS_FILE = "loyalty.duckdb"
CORE_FILE = "core.duckdb"
REPORT = "report.html"
STATE = "state.json"
CONTENT = {MARTS_FILE: ("marts", "quality", "reference"), CORE_FILE: ("core", "steps")}

# DuckDB names a file's catalog after the file: in core.duckdb a schema `core` would make every name ambiguous.
PUBLISHED_SCHEMA = {"core": "main"}

# The keys of every manifest; one without them is damaged.
MANIFEST_KEYS = {"as_of", "build_id", "code_version", "files", "marts", "published_at", "tables"}

FEWEST_GENERATIONS = 3
YOUNGEST_PRUNED = timedelta(hours=1)


@dataclass(frozen=True)
class Generation:
    """A published generation: its number, its folder and its manifest."""

    number: int
    folder: Path
    manifest: dict[str, Any]
    is_current: bool = False

    @property
    def name(self) -> str:
        """The folder's name: the number with leading zeros."""
        return self.folder.name

    @property
    def marts_file(self) -> Path:
        """The file that BI tools read."""
        return self.folder / MARTS_FILE

    @property
    def mart_rows(self) -> dict[str, int]:
        """Rows of each mart."""
        return {name: table["rows"] for name, table in self.manifest["marts"].items()}

    @property
    def withheld(self) -> list[str]:
        """One sentence for each reason why marts are not fresh: which marts, since when, and why."""
        by_reason: dict[str, list[str]] = {}
        for mart, state in self.manifest.get("mart_states", {}).items():
            if state["state"] != "fresh":
                by_reason.setdefault(state["reason"], []).append(mart)
        states = self.manifest.get("mart_states", {})
        return [
            f"not renewed since {states[marts[0]]['since'][:16].replace('T', ' ')} UTC: {', '.join(marts)}: {reason}"
            for reason, marts in sorted(by_reason.items())
        ]


def current_generation(settings: Settings) -> Generation | None:
    """The generation that readers see."""
    link = settings.serve / "current"
    if not link.is_symlink():
        return None
    folder = settings.serve / link.readlink()
    return _read(folder, is_current=True)


def require_current(settings: Settings) -> Generation:
    """The generation that readers see; UserError when nothing was published, or what was is damaged."""
    current = current_generation(settings)
    if current is not None:
        return current
    link = settings.serve / "current"
    if not link.is_symlink() and not generation_folders(settings):
        raise UserError(f"Nothing has been published yet in {settings.serve}: run `loyalty run` first.")
    raise UserError(f"{link} shows no whole generation; `loyalty status --verify` shows what is wrong.")


def generations(settings: Settings) -> list[Generation]:
    """All generations with a readable manifest, oldest first."""
    current = current_generation(settings)
    found = [_read(folder) for folder in generation_folders(settings)]
    return [
        Generation(
            one.number, one.folder, one.manifest, is_current=current is not None and one.number == current.number
        )
        for one in found
        if one is not None
    ]


def generation_before(settings: Settings, generation: Generation) -> Generation | None:
    """The generation that readers saw before this one was published; None where it is not there any more.

    After a rollback it is not the one with the number before. A manifest of an older version does not name it.
    """
    older = {one.number: one for one in generations(settings) if one.number < generation.number}
    return older.get(generation.manifest.get("before", max(older, default=0)))


def damaged_generations(settings: Settings) -> list[Path]:
    """The folders of generations whose manifest is missing or damaged."""
    return [folder for folder in generation_folders(settings) if _read(folder) is None]


def wrong_files(folder: Path) -> list[str]:
    """The differences between a generation and its manifest: one sentence each, none when it is whole."""
    generation = _read(folder)
    if generation is None:
        return [f"{folder / MANIFEST} is missing or damaged"]
    return [
        sentence
        for name, expected in generation.manifest["files"].items()
        for sentence in wrong_file(folder / name, expected["sha256"])
    ]


def rollback(workspace: Workspace, number: int | None = None) -> Generation:
    """Point `current` at another generation, older or newer, and hold publishing until `resume`.

    Without a number: the newest one before the current. Readers that are connected keep what they have open.
    """
    settings = workspace.settings
    with serve_lock(settings, "rollback"):
        known = {one.number: one for one in generations(settings)}
        shown = _shown_number(settings)
        if not known and shown is None:
            raise UserError(f"Nothing has been published yet in {settings.serve}, so there is nothing to roll back.")
        older = [one for one in known if shown is None or one < shown]
        target = number if number is not None else max(older, default=None)
        if target is None or target not in known:
            there = ", ".join(str(one) for one in known)
            wanted = f"generation {number}" if number is not None else "generation before the current one"
            raise UserError(f"There is no {wanted}; there are: {there}.")
        workspace.ledger.append(
            "rollback",
            generation=target,
            from_generation=shown,
            build_id=known[target].manifest["build_id"],
            rolled_back=[one.manifest["build_id"] for number, one in known.items() if number > target],
        )
        failpoint("rollback.recorded")
        point_current_at(settings, known[target].folder)
        write_state(workspace)
    name = known[target].name
    is_older = shown is None or target < shown
    done = f"rolled back to generation {name}" if is_older else f"generation {name} is shown again"
    workspace.progress.log(
        f"{done}; publishing is held until `loyalty publish --resume`, so that the next run does not undo this"
    )
    return known[target]


def resume(workspace: Workspace) -> None:
    """Allow publishing again after a rollback, and say what comes next."""
    if not plan.is_held(workspace.ledger):
        workspace.progress.log("publishing was not held")
        return
    with serve_lock(workspace.settings, "resume"):
        workspace.ledger.append("resume")
        write_state(workspace)
    newest = plan.last_build(workspace.ledger)
    is_rolled_back = newest is not None and newest.data["build_id"] in plan.rolled_back_builds(workspace.ledger)
    next_step = "; the build that was rolled back is not published again: `loyalty run` builds anew and publishes"
    workspace.progress.log(f"publishing is allowed again{next_step if is_rolled_back else ''}")


def write_state(workspace: Workspace) -> None:
    """Write for readers whether publishing is held, and since when."""
    event = workspace.ledger.last("rollback", "resume")
    since = event.at.isoformat() if event is not None and event.kind == "rollback" else None
    write_for_readers(workspace, STATE, json.dumps({"held_since": since}))


def held_since(settings: Settings) -> str | None:
    """Since when publishing is held, as ISO 8601 in UTC; None where it is not, or an older version wrote the folder."""
    try:
        since: str | None = json.loads((settings.serve / STATE).read_text(encoding="utf-8"))["held_since"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return since


def write_for_readers(workspace: Workspace, name: str, text: str) -> None:
    """Write a file of `serve` in one step, open to other users whatever the umask is.

    What was done before is not undone by a full disk: then the log says it, and the next run writes the file.
    """
    file = workspace.settings.serve / name
    draft = file.with_name(f".draft-{os.getpid()}-{name}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.chmod(0o644)
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        workspace.progress.log(f"{file} could not be written ({error.strerror}): the next run tries it again")


def prune(
    settings: Settings, keep: int | None = None, now: datetime | None = None, min_age: timedelta = YOUNGEST_PRUNED
) -> list[str]:
    """Remove old generations: all but the newest `keep`, the current one, and those younger than an hour."""
    now = now or datetime.now(UTC)
    keep = max(settings.keep_generations if keep is None else keep, FEWEST_GENERATIONS)
    with serve_lock(settings, "prune"):
        old = generations(settings)[:-keep]
        gone = [
            one
            for one in old
            if not one.is_current and now - datetime.fromisoformat(one.manifest["published_at"]) >= min_age
        ]
        for one in gone:
            remove_generation(settings, one.folder)
    return [one.name for one in gone]


def remove_all_but_current(settings: Settings) -> list[str]:
    """Remove every generation but the current one at once: what erasing a person needs."""
    with serve_lock(settings, "erase"):
        current = current_generation(settings)
        gone = [folder for folder in generation_folders(settings) if current is None or folder.name != current.name]
        for folder in gone:
            remove_generation(settings, folder)
        remove_leftovers(settings)
    return [folder.name for folder in gone]


def published_schema(schema: str) -> str:
    """The schema in the published file of what is built in `schema`."""
    return PUBLISHED_SCHEMA.get(schema, schema)


def serve_lock(settings: Settings, purpose: str) -> AbstractContextManager[None]:
    """Held for moments only, so that a rollback never waits for a build."""
    return file_lock(settings.home / "work" / "serve.lock", purpose, wait_seconds=60)


def generation_folders(settings: Settings) -> list[Path]:
    """The folders of generations, whole or not, oldest first."""
    return sorted(path for path in (settings.serve / "generations").glob("[0-9]*") if path.name.isdigit())


def point_current_at(settings: Settings, folder: Path) -> None:
    """Swap the link that readers follow, in one step."""
    link = settings.serve / f".current-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("generations") / folder.name)
    link.replace(settings.serve / "current")
    sync(settings.serve)


def remove_generation(settings: Settings, folder: Path) -> None:
    """Remove a generation so that it is never seen half removed; readers that have it open keep it."""
    aside = settings.serve / f".removed-{folder.name}"
    folder.rename(aside)
    shutil.rmtree(aside)


def remove_leftovers(settings: Settings) -> None:
    """Take away what a killed publish left beside the generations."""
    for pattern in (".staging-*", ".removed-*"):
        for folder in settings.serve.glob(pattern):
            shutil.rmtree(folder)
    for pattern in (".current-*", ".draft-*"):
        for file in settings.serve.glob(pattern):
            file.unlink()


def _shown_number(settings: Settings) -> int | None:
    """The number of the generation that the link names, whole or not."""
    link = settings.serve / "current"
    name = link.readlink().name if link.is_symlink() else ""
    return int(name) if name.isdigit() else None


def _read(folder: Path, is_current: bool = False) -> Generation | None:
    """A generation from its folder; None when its manifest is missing or damaged."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict) or not manifest.keys() >= MANIFEST_KEYS or not folder.name.isdigit():
        return None
    return Generation(int(folder.name), folder, manifest, is_current)
