"""What is known to be weak in the locked packages, and what looks like a secret in the tree: `make audit`.

A known weakness fails the run, unless scripts/audit-exceptions.yml says since when, why and until when it does not
concern us. A package index that does not answer is reported and fails nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
LONGEST_SECONDS = 180
LONGEST_EXCEPTION_DAYS = 180
PIP_AUDIT = (
    *(sys.executable, "-m", "pip_audit", "--requirement", "requirements.lock", "--require-hashes", "--disable-pip"),
    *("--vulnerability-service", "pypi", "--format", "json", "--progress-spinner", "off"),
)
# An account_key of a unit test is no secret; the hashes of a lock and the figures of a CSV are none either.
SECRETS = (
    *(sys.executable, "-m", "detect_secrets.pre_commit_hook"),
    *("--exclude-files", r"requirements\.lock|\.csv$", "--exclude-lines", "account_key"),
)


def main() -> int:
    """Both audits; 1 when either found something."""
    exceptions = yaml.safe_load((ROOT / "scripts" / "audit-exceptions.yml").read_text(encoding="utf-8"))["exceptions"]
    wrong, note = judge(ask_the_index(), exceptions, datetime.now(UTC).date())
    print(note)
    for sentence in wrong:
        print(f"audit: {sentence}")
    return 1 if secrets_found(tracked_files()) or wrong else 0


def ask_the_index() -> list[dict[str, Any]]:
    """The package index's advisories on every locked package; none when it does not answer."""
    try:
        answer = subprocess.run(
            PIP_AUDIT, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return []
    try:
        return json.loads(answer.stdout)["dependencies"]
    except ValueError:
        print(answer.stderr.strip().splitlines()[-1] if answer.stderr.strip() else "pip-audit printed nothing")
        return []


def judge(
    packages: Sequence[dict[str, Any]], exceptions: Sequence[dict[str, Any]], today: date
) -> tuple[list[str], str]:
    """What fails the run, one sentence each, and what to say of how much was asked."""
    excepted = {(one["package"], one["id"]) for one in exceptions}
    wrong = []
    for one in exceptions:
        name, until = f"{one['package']} {one['id']}", one["until"]
        if until < today:
            wrong.append(f"the exception for {name} ended on {until}: look at it again ({one['because']})")
        elif (until - one["since"]).days > LONGEST_EXCEPTION_DAYS:
            wrong.append(f"the exception for {name} lasts longer than {LONGEST_EXCEPTION_DAYS} days: shorten it")
    asked = [package for package in packages if "skip_reason" not in package]
    for package in asked:
        for weakness in package["vulns"]:
            names = {weakness["id"], *weakness.get("aliases", [])}
            if not any((package["name"], name) in excepted for name in names):
                fixed = ", ".join(weakness["fix_versions"]) or "no version yet"
                wrong.append(f"{package['name']} {package['version']} has {weakness['id']}; fixed in {fixed}")
    if not asked:
        return wrong, "audit: the package index answered for no package, so nothing is known of their weaknesses today"
    return wrong, f"audit: the package index's advisories were asked about {len(asked)} of {len(packages)} packages"


def tracked_files() -> list[str]:
    """Every file that a commit would hold."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def secrets_found(files: Sequence[str]) -> bool:
    """Whether a file holds what looks like a secret; the scanner says which, in what line, and how to go on."""
    return subprocess.run([*SECRETS, *files], cwd=ROOT, check=False).returncode != 0


if __name__ == "__main__":
    sys.exit(main())
