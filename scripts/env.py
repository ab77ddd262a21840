"""Write .env for docker compose, once: .env.example with a fresh secret where that has none.

Makes the folder for exports and marts too: Docker would make it as root, and the containers could not write there.
"""

import base64
import os
import secrets
from pathlib import Path

ROOT = Path(__file__).parents[1]
WARNING = "# Secrets of this deployment, read by docker compose. Never commit this file."


def filled(example: str) -> str:
    """The example with its empty values filled."""
    fernet_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    made = {"AIRFLOW_FERNET_KEY": fernet_key, "LOYALTY_UID": str(owner())}
    lines = [WARNING]
    for line in example.splitlines()[1:]:
        name, is_value, value = line.partition("=")
        lines.append(f"{name}={made.get(name) or value or secrets.token_hex(24)}" if is_value else line)
    return "\n".join(lines) + "\n"


def owner() -> int:
    """Who the containers run as: the one who calls this, but never root."""
    return os.getuid() or 1000


def make_data_folder(text: str) -> None:
    """Make the folder LOYALTY_DATA of a .env, relative to the project, for that user alone."""
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    folder = ROOT / values["LOYALTY_DATA"]
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        os.chown(folder, int(values["LOYALTY_UID"]), -1)


if __name__ == "__main__":
    target = ROOT / ".env"
    if target.exists():
        print(f"{target.name} is there already and stays as it is.")
    else:
        os.umask(0o077)
        target.write_text(filled((ROOT / ".env.example").read_text(encoding="utf-8")), encoding="utf-8")
        print(f"{target.name} written with fresh secrets: the UI's user is admin, its password AIRFLOW_ADMIN_PASSWORD.")
    make_data_folder(target.read_text(encoding="utf-8"))
