"""Erases a person who asks to be forgotten: from landing, quarantine, raw, work file, generations, copies and logs.

The id goes on the suppression list first (see suppression.py), so from then on no export brings the person back and
any build takes them out of what was landed before. A load that held the person is written again under a new
id; the ledger records which load replaced which, without a reason or a name.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from loyalty.build import build, plan, work_file
from loyalty.common.counted import counted
from loyalty.common.disk import remove
from loyalty.common.errors import UserError
from loyalty.common.failpoints import failpoint
from loyalty.common.runs import recorded_run
from loyalty.common.settings import Settings
from loyalty.common.workspace import Workspace
from loyalty.land.loads import (
    landed_folder,
    load_folders,
    read_manifest,
    refuse_half_rotated,
)
from loyalty.land.redact import erase, is_known, owners_of, records_of
from loyalty.land.same_person import codes_of_same_person
from loyalty.operate.publishing import publish
from loyalty.operate.rotate import remove_replaced
from loyalty.privacy.keys import keyed_hash, load_key
from loyalty.privacy.suppression import Forgotten, load_forgotten, person_of, remember
from loyalty.publish.generations import remove_all_but_current


@dataclass(frozen=True)
class Receipt:
    """Proof of an erasure without a name: a keyed hash, and how much was changed."""

    code: str
    rows_removed: int
    rows_anonymised: int
    loads_rewritten: int
    generations_removed: int


def forget(workspace: Workspace, customer_id: str, source: str | None = None) -> Receipt:
    """Erase a customer of one source, or of all, and publish marts without the person.

    The id is the source's own, or what the feeds hash as one (`hash: true`), or the customer's e-mail address. Records
    that are merged with the customer's, or have the same e-mail address, are erased as well.
    Killed anywhere, it can be run again and ends the same. Raises UserError when nothing is known of the id.
    """
    settings, ledger, progress = workspace.settings, workspace.ledger, workspace.progress
    build.refuse_wrong_vars(settings)  # before anything is erased: the build at the end needs them
    with recorded_run(ledger, "forget"), work_file.lock(settings, "forget"):
        loads = ledger.loads()
        refuse_half_rotated(settings, (read_manifest(landed_folder(settings, load), load.feed_name) for load in loads))
        remove_replaced(settings, ledger)
        key = load_key(settings)
        owners = owners_of(settings, key, customer_id, source)
        person = Forgotten(person_of(key, source, customer_id).codes | owners, key)
        person = Forgotten(person.codes | codes_of_same_person(workspace, person, source), key)
        if not is_known(settings, person) and not person.codes & load_forgotten(settings).codes:
            where = f" of source `{source}`" if source else ""
            raise UserError(f"No landed load has a customer{where} with this id: nothing was changed.")
        remember(settings, [*person.codes, *records_of(settings, person)])
        failpoint("forget.remembered")
        code = keyed_hash(person.key, f"{secrets.token_hex(16)}:{source or ''}:{customer_id}")
        erased = erase(workspace, load_folders(settings.landing), code, {source} if source else None)
        for paths in (work_file.work_files(settings), _copies(settings), _logs(settings)):
            remove(paths)
        failpoint("forget.removed")
    counts = f"{counted(erased.removed, 'row')} removed, {erased.anonymised:,} kept anonymous"
    progress.log(f"erased from {counted(len(erased.rewritten), 'load')}: {counts}")
    gone_generations = _publish_without(workspace)
    remove([settings.work_file.parent / "dbt"])  # dbt notes the command, and so the id
    progress.log(f"receipt {code}: keep it; it holds no name")
    return Receipt(code, erased.removed, erased.anonymised, len(erased.rewritten), gone_generations)


def _copies(settings: Settings) -> list[Path]:
    """Analysts' private copies of core and marts."""
    return [settings.home / "dev"]


def _logs(settings: Settings) -> list[Path]:
    """Logs, those of the local Airflow's tasks too, and what dbt compiled: each may hold a failed row."""
    return [settings.home / "logs", settings.work_file.parent / "dbt", *settings.home.glob("*airflow/logs")]


def _publish_without(workspace: Workspace) -> int:
    """Build everything again from landing, publish it, and remove every older generation."""
    built_before = plan.last_build(workspace.ledger)
    as_of = _given_as_of(built_before.data) if built_before else None
    built = build.build(workspace, as_of, full=True)
    publish(workspace, built.build_id, accept_drop=True, urgent=True)
    gone = remove_all_but_current(workspace.settings)
    workspace.progress.log(
        f"removed {counted(len(gone), 'older generation')} at once; readers that hold one open keep it until they "
        "close it"
    )
    return len(gone)


def _given_as_of(stamp: dict[str, Any]) -> date | None:
    return date.fromisoformat(stamp["as_of"]) if stamp["is_as_of_given"] else None
