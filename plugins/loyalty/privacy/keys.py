"""Personal data: the workspace's key, and the keyed hash that replaces an e-mail address or a phone.

An address that is a customer's id in an export (`hash: true` in the feed's mapping) lands as the same hash.

A plain hash of an e-mail address can be undone by hashing all known addresses; a keyed one
(HMAC-SHA256) cannot without the key. The key is made at first use, readable by its owner alone, and
never leaves `private/`.

A rotation adds a key: `hash.key` has one a line, oldest first, and a value goes through all of them,
HMAC(new, HMAC(old, value)). So what was hashed before a rotation is hashed on without knowing the value, and
the old key alone cannot undo any hash.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
from pathlib import Path

from loyalty.common.disk import sync
from loyalty.common.errors import UserError
from loyalty.common.settings import PRIVATE_UMASK, Settings

KEY_BYTES = 32
Key = tuple[bytes, ...]
FORGOTTEN_FILE = "forgotten.jsonl"  # who is to be forgotten, in `private`; see suppression.py
# A hash in a quarantined row, with how many keys it went through.
TAGGED = re.compile("keyed([0-9]+):([0-9a-f]{64})")

# The demo's results must be the same everywhere, so its key is no secret. It protects no data.
DEMO_KEY = b"SIMULATED-DEMO-KEY-NOT-A-SECRET-"


def key_file(settings: Settings) -> Path:
    """Where the workspace's key lies."""
    return settings.private / "hash.key"


def load_key(settings: Settings) -> Key:
    """The workspace's key, made at first use; processes that start together get the same one.

    Raises UserError when others may read it, or when it is no key.
    """
    file = key_file(settings)
    if not file.exists():
        if _was_used(settings):
            raise UserError(
                f"{file} is gone, and customers have been landed with it: put it back from your backup. With a new key "
                "no hash would match any more."
            )
        _make_key(file, (secrets.token_bytes(KEY_BYTES),))
    if file.stat().st_mode & PRIVATE_UMASK:
        raise UserError(f"{file} can be read by others: run `chmod 600 {file}`; the key can undo the hashes.")
    try:
        key = tuple(bytes.fromhex(line) for line in file.read_text(encoding="ascii").splitlines())
    except ValueError:
        key = ()
    if not key or any(len(part) < KEY_BYTES for part in key):
        raise UserError(f"{file} holds no key of {KEY_BYTES} bytes in hex: put the right one back from your backup.")
    return key


def key_count(settings: Settings) -> int:
    """How many keys a value goes through; one as long as none was made."""
    return len(load_key(settings)) if key_file(settings).exists() else 1


def use_demo_key(settings: Settings) -> None:
    """Give the demo's workspace its fixed, public key, unless it has a key already."""
    file = key_file(settings)
    if not file.exists():
        _make_key(file, (DEMO_KEY,))


def is_demo_key(key: Key) -> bool:
    """Whether this is the demo's public key, which protects no data."""
    return key == (DEMO_KEY,)


def add_key(settings: Settings) -> Key:
    """Put a new key after those there are, on disk when this returns; returns all of them."""
    key = (*load_key(settings), secrets.token_bytes(KEY_BYTES))
    draft = _write_draft(key_file(settings).parent, key)
    draft.replace(key_file(settings))
    sync(key_file(settings).parent)
    return key


def keyed_hash(key: Key, value: str) -> str:
    """HMAC-SHA256 in hex of a value without surrounding blanks and case, so that equal addresses meet."""
    return lift(key, value.strip().casefold(), 0)


def lift(key: Key, text: str, done: int) -> str:
    """A hash that went through the first `done` keys, taken through the others; a plain text has gone through none."""
    for part in key[done:]:
        text = hmac.new(part, text.encode(), hashlib.sha256).hexdigest()
    return text


def tagged(key: Key, hashed: str) -> str:
    """A keyed hash in a quarantined row, with how many keys it went through."""
    return f"keyed{len(key)}:{hashed}"


def tagged_hash(key: Key, value: str) -> str:
    """The keyed hash of a cell in a quarantined row; `landed_hash` finds it, also after rotations of the key."""
    return tagged(key, keyed_hash(key, value))


def untagged(key: Key, text: str) -> str:
    """A text with its tagged hashes as they would be landed today."""
    return TAGGED.sub(lambda found: lift(key, found[2], int(found[1])), text)


def landed_hash(key: Key, cell: str) -> str:
    """The keyed hash of an export's cell, or of one that was hashed when its row was quarantined."""
    return untagged(key, cell) if TAGGED.fullmatch(cell) else keyed_hash(key, cell)


def _was_used(settings: Settings) -> bool:
    """Whether loads or forgotten people exist that a new key would not match."""
    return (
        any((settings.landing / "customers").glob("load_id=*"))
        or (settings.private / FORGOTTEN_FILE).exists()
        or any(map(_hashes_ids, settings.landing.glob("*/load_id=*/_manifest.json")))
    )


def _hashes_ids(manifest: Path) -> bool:
    """Whether the customer's ids of a load are hashes; a damaged manifest counts as if they were."""
    try:
        return bool(json.loads(manifest.read_text(encoding="utf-8")).get("hashed_ids"))
    except (OSError, ValueError, AttributeError):
        return True


def _make_key(file: Path, key: Key) -> None:
    """Put a whole key in place in one step; a process that was quicker wins."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _write_draft(file.parent, key)
    try:
        os.link(draft, file)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _write_draft(folder: Path, key: Key) -> Path:
    descriptor, draft = tempfile.mkstemp(dir=folder, prefix=".key-")  # mode 0600
    with os.fdopen(descriptor, "w", encoding="ascii") as handle:
        handle.write("".join(f"{part.hex()}\n" for part in key))
        handle.flush()
        os.fsync(handle.fileno())
    return Path(draft)
