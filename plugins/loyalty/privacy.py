"""Personal data: the workspace's key, and the keyed hash that stands in for an e-mail address or a phone.

A plain hash of an e-mail address can be undone by hashing all addresses one knows; a keyed one
(HMAC-SHA256) cannot without the key. The key is made at first use, readable by its owner alone, and
never leaves `private/`.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from loyalty.errors import UserError
from loyalty.settings import PRIVATE_UMASK, Settings

KEY_BYTES = 32

# The demo's results must be the same everywhere, so its key is no secret. It protects nobody.
DEMO_KEY = b"SIMULATED-DEMO-KEY-NOT-A-SECRET-"


def key_file(settings: Settings) -> Path:
    """Where the workspace's key lies."""
    return settings.private / "hash.key"


def load_key(settings: Settings) -> bytes:
    """The workspace's key, made at first use; processes that start together get the same one.

    Raises UserError when others may read it, or when it is no key.
    """
    file = key_file(settings)
    if not file.exists():
        if any((settings.landing / "customers").glob("load_id=*")):
            raise UserError(
                f"{file} is gone, and customers have been landed with it: put it back from your backup. With a new key "
                "nobody's hash would match any more."
            )
        _make_key(file, secrets.token_bytes(KEY_BYTES))
    if file.stat().st_mode & PRIVATE_UMASK:
        raise UserError(f"{file} can be read by others: run `chmod 600 {file}`; who has the key can undo the hashes.")
    try:
        key = bytes.fromhex(file.read_text(encoding="ascii"))
    except ValueError:
        key = b""
    if len(key) < KEY_BYTES:
        raise UserError(f"{file} holds no key of {KEY_BYTES} bytes in hex: put the right one back from your backup.")
    return key


def use_demo_key(settings: Settings) -> None:
    """Give the demo's workspace its fixed, public key, unless it has a key already."""
    file = key_file(settings)
    if not file.exists():
        _make_key(file, DEMO_KEY)


def is_demo_key(key: bytes) -> bool:
    """Whether this is the demo's public key, which protects nobody."""
    return hmac.compare_digest(key, DEMO_KEY)


def keyed_hash(key: bytes, value: str) -> str:
    """HMAC-SHA256 in hex of a value without surrounding blanks and case, so that equal addresses meet."""
    return hmac.new(key, value.strip().casefold().encode(), hashlib.sha256).hexdigest()


def _make_key(file: Path, key: bytes) -> None:
    """Put a whole key in place in one step; a process that was quicker wins."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=".key-")  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as handle:
            handle.write(key.hex() + "\n")
            handle.flush()
            os.fsync(handle.fileno())
        try:
            os.link(draft, file)
        except FileExistsError:
            return
    finally:
        Path(draft).unlink()
