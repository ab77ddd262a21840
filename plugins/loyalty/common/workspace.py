"""A workspace that is open: what one command, one nightly run or one task works with."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger
from loyalty.common.progress import Progress, progress_on
from loyalty.common.settings import WORKSPACE_FILE, Settings, load_settings

OWNER_FILE = "workspace.json"


@dataclass(frozen=True)
class Workspace:
    """The settings, the ledger and the progress of one command. It is made once and passed on."""

    settings: Settings
    ledger: Ledger
    progress: Progress


def open_workspace(settings: Settings, progress: Progress | None = None) -> Workspace:
    """Open a workspace; progress goes to standard output unless given.

    UserError when the data are those of another workspace.
    """
    refuse_foreign_folders(settings)
    return Workspace(settings, Ledger(settings.ledger), progress or progress_on())


def refuse_foreign_folders(settings: Settings) -> None:
    """Write in `home`, and in `serve_folder`, which workspace they belong to; UserError when another one uses them.

    A workspace that was moved is no longer at the address in the folder, and becomes the owner.
    """
    for key, folder in (("home", settings.home), ("serve_folder", settings.serve_folder)):
        if folder is not None and folder.is_dir():
            _refuse_foreign(settings, key, folder)


def _refuse_foreign(settings: Settings, key: str, folder: Path) -> None:
    file = folder / OWNER_FILE
    owner = _owner(file)
    if owner == settings.workspace:
        return
    if owner is not None and _uses(owner, key, folder):
        raise UserError(
            f"{folder} holds the data of the workspace {owner}, and {settings.workspace} is another one: set another "
            f"`{key}` in {settings.workspace / WORKSPACE_FILE}, or remove {file} if the other is no longer used."
        )
    with suppress(OSError):  # a user who may only read leaves it as it is
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps({"workspace": str(settings.workspace)}), encoding="utf-8")
        draft.replace(file)


def _owner(file: Path) -> Path | None:
    try:
        return Path(json.loads(file.read_text(encoding="utf-8"))["workspace"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _uses(workspace: Path, key: str, folder: Path) -> bool:
    """Whether a folder is still a workspace whose setting names this folder."""
    if not (workspace / WORKSPACE_FILE).is_file():
        return False
    try:
        return bool(getattr(load_settings(workspace), key) == folder)
    except UserError:  # what its file says cannot be read; the folder is there
        return True
