"""Write .env for docker compose, once: .env.example with a fresh secret wherever that has none."""

import base64
import os
import secrets
from pathlib import Path

ROOT = Path(__file__).parents[1]
WARNING = "# Secrets of this deployment, read by docker compose. Never commit this file."


def filled(example: str) -> str:
    """The example with its empty values filled."""
    fernet_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    made = {"AIRFLOW_FERNET_KEY": fernet_key, "LOYALTY_UID": str(os.getuid())}
    lines = [WARNING]
    for line in example.splitlines()[1:]:
        name, is_value, value = line.partition("=")
        lines.append(f"{name}={made.get(name) or value or secrets.token_hex(24)}" if is_value else line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    target = ROOT / ".env"
    if target.exists():
        print(f"{target.name} is there already and stays as it is.")
    else:
        os.umask(0o077)
        target.write_text(filled((ROOT / ".env.example").read_text(encoding="utf-8")), encoding="utf-8")
        print(f"{target.name} written with fresh secrets: the UI's user is admin, its password AIRFLOW_ADMIN_PASSWORD.")
