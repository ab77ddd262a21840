"""Writes .env for docker compose: .env.example with a fresh secret wherever that has none. Keeps a .env that is there."""

import base64
import os
import secrets
import sys
from pathlib import Path

root = Path(__file__).parents[1]
target = root / ".env"
if target.exists():
    print(f"{target.name} is there already and stays as it is.")
    sys.exit()

fernet_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
made = {"AIRFLOW_FERNET_KEY": fernet_key, "LOYALTY_UID": str(os.getuid())}
lines = []
for line in (root / ".env.example").read_text(encoding="utf-8").splitlines():
    name, _, value = line.partition("=")
    if line.startswith("#"):
        lines.append(
            "# Secrets of this deployment, read by docker compose. Never commit this file." if not lines else line
        )
    else:
        lines.append(f"{name}={made.get(name) or value or secrets.token_hex(24)}")
os.umask(0o077)
target.write_text("\n".join(lines) + "\n", encoding="utf-8")
print(
    f"{target.name} written with fresh secrets; the UI's user is admin, its password is AIRFLOW_ADMIN_PASSWORD there."
)
