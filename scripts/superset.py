"""The dashboard of bi/superset in Superset: make its ZIP, or try the whole recipe of docs/bi-tools.md.

`python scripts/superset.py zip FILE URI` writes the bundle, which Superset imports; URI is the database's, such as
`duckdb:////srv/loyalty/current/loyalty.duckdb?access_mode=read_only`.

`python scripts/superset.py try FOLDER` installs Superset in FOLDER/venv, imports the bundle for the workspace that one
is in, asks Superset for the data of every chart and compares them with `loyalty query`. A picture of the dashboard is
in FOLDER/loyalty.png, if Chromium is there.
"""

from __future__ import annotations

import csv
import json
import math
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests
import yaml

from loyalty.common.errors import UserError
from loyalty.common.settings import load_settings
from loyalty.publish.generations import MARTS_FILE, require_current

BUNDLE = Path(__file__).parents[1] / "bi" / "superset"
# What was tried together. Superset 6.1 does not start with flask-caching 2.4 and newer. It needs rich and cachetools,
# and does not ask for them. DuckDB's version is the pipeline's, which writes the file.
PACKAGES = (
    "apache-superset==6.1.0",
    "duckdb-engine==0.17.0",
    "duckdb==1.5.5",
    "flask-caching==2.3.1",
    "rich==15.0.0",
    "cachetools==8.0.2",
)
# Seconds that Superset may take to answer after its start.
PATIENCE = 180
CONFIG = """
import os
SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = "sqlite:///" + os.environ["SUPERSET_HOME"] + "/superset.db?check_same_thread=false"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
"""


def write_zip(file: Path, uri: str) -> None:
    """Write the bundle as Superset imports it, for the database of this URI."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in sorted(BUNDLE.rglob("*.yaml")):
            text = source.read_text(encoding="utf-8")
            if source.parent.name == "databases":
                text = yaml.safe_dump(yaml.safe_load(text) | {"sqlalchemy_uri": uri}, sort_keys=False)
            archive.writestr(f"loyalty/{source.relative_to(BUNDLE)}", text)


@dataclass(frozen=True)
class Superset:
    """Superset in an environment of its own; all it writes is in the folder."""

    folder: Path
    password: str

    @property
    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "SUPERSET_HOME": str(self.folder),
            "SUPERSET_CONFIG_PATH": str(self.folder / "superset_config.py"),
            "SUPERSET_SECRET_KEY": self.password * 2,
            "FLASK_APP": "superset.app:create_app()",
            "SCARF_ANALYTICS": "false",
        }

    def install(self) -> None:
        """Install it with the packages that were tried, and make its database with one account, `admin`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "superset_config.py").write_text(CONFIG, encoding="utf-8")
        uv = Path(sys.executable).with_name("uv")
        if not self._program("superset").exists():
            _run(uv, "venv", "--quiet", "--python", sys.executable, self.folder / "venv")
        _run(uv, "pip", "install", "--quiet", "--python", self._program("python"), *PACKAGES)
        self.run("db", "upgrade")
        self.run("init")
        who = ("--username", "admin", "--firstname", "A", "--lastname", "B", "--email", "admin@localhost")
        self.run("fab", "create-admin", *who, "--password", self.password)

    def run(self, *arguments: str) -> None:
        """Run one of Superset's commands."""
        _run(self._program("superset"), *arguments, environment=self._environment)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The address of a server that answers until the block ends."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [self._program("superset"), "run", "--port", str(port), "--with-threads"]
        log = (self.folder / "server.log").open("w")
        with log, subprocess.Popen(command, env=self._environment, stdout=log, stderr=log) as process:
            try:
                _wait_for(f"http://127.0.0.1:{port}/health", process)
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()

    def _program(self, name: str) -> Path:
        return self.folder / "venv" / "bin" / name


class Api:
    """Superset's API, signed in as `admin`."""

    def __init__(self, address: str, password: str) -> None:
        self.address = address
        self._session = requests.Session()
        account = {"username": "admin", "password": password, "provider": "db", "refresh": True}
        token = self._ask("post", "security/login", json=account)["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def import_bundle(self, file: Path) -> None:
        """Import the ZIP. What Superset has of it already stays as it is."""
        with file.open("rb") as content:
            self._ask("post", "dashboard/import/", files={"formData": content})

    def charts(self) -> dict[str, dict[str, Any]]:
        """The parameters of every chart, by its title."""
        found = self._ask("get", "chart/", params={"q": "(page_size:100)"})["result"]
        return {one["slice_name"]: json.loads(one["params"]) for one in found}

    def data(self, params: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        """The SQL that Superset runs for a chart, and the rows that it gets."""
        number, _, kind = params["datasource"].partition("__")
        asked = {"datasource": {"id": int(number), "type": kind}, "queries": [chart_query(params)]}
        result = self._ask("post", "chart/data", json=asked | {"result_format": "json", "result_type": "full"})
        first = result["result"][0]
        return first["query"], first["data"]

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        answer = self._session.request(method, f"{self.address}/api/v1/{path}", timeout=PATIENCE, **more)
        if not answer.ok:
            raise UserError(f"Superset answered {path} with {answer.status_code}: {answer.text[:500]}.")
        found: dict[str, Any] = answer.json()
        return found


def chart_query(params: Mapping[str, Any]) -> dict[str, Any]:
    """What a chart asks for, as Superset's page of it does: columns, metrics and conditions."""
    groups = params.get("groupby", [])
    groups = groups if isinstance(groups, list) else [groups]
    columns = [params["x_axis"], *groups] if "x_axis" in params else [*groups, *params.get("all_columns", [])]
    metrics = params.get("metrics") or [one for one in (params.get("metric"),) if one]
    where = " and ".join(f"({one['sqlExpression']})" for one in params["adhoc_filters"])
    return {
        "columns": columns,
        # no metrics: rows as they are
        **({"metrics": metrics} if metrics else {}),
        "extras": {"where": where},
        "row_limit": params["row_limit"],
        "orderby": [[one if isinstance(one, str) else one["label"], True] for one in columns],
    }


def compare(api: Api) -> list[str]:
    """Every chart's rows against those of `loyalty query` for the same SQL; says what differs."""
    wrong = []
    for title, params in sorted(api.charts().items()):
        sql, given = api.data(params)
        expected = _loyalty_query(sql)
        same = len(given) == len(expected) and all(
            _same(one[name], other[name]) for one, other in zip(given, expected, strict=True) for name in other
        )
        print(f"{title}: {len(given)} rows, {'as loyalty query says' if same else 'DIFFERENT'}")
        wrong += [] if same and given else [title]
    return wrong


def try_recipe(folder: Path) -> None:
    """Install, import, compare, make a picture. Raises UserError where a chart is empty or differs from its mart."""
    settings = load_settings()
    require_current(settings)
    uri = f"duckdb:///{settings.serve.resolve() / 'current' / MARTS_FILE}?access_mode=read_only"
    superset = Superset(folder.resolve(), secrets.token_urlsafe(24))
    (folder / "superset.db").unlink(missing_ok=True)  # its account has the password of the last time
    superset.install()
    write_zip(folder / "loyalty.zip", uri)
    with superset.serving() as address:
        api = Api(address, superset.password)
        api.import_bundle(folder / "loyalty.zip")
        wrong = compare(api)
        _picture(address, superset.password, folder / "loyalty.png")
    if wrong:
        raise UserError(f"These charts of Superset are empty or differ from loyalty query: {', '.join(wrong)}.")


def _loyalty_query(sql: str) -> list[dict[str, str]]:
    loyalty = Path(sys.executable).with_name("loyalty")
    found = subprocess.run([loyalty, "query", "--format", "csv", sql], capture_output=True, text=True, check=False)
    if found.returncode:
        raise UserError(f"loyalty query failed: {found.stderr.strip()}")
    return list(csv.DictReader(found.stdout.splitlines()))


def _same(given: Any, expected: str) -> bool:
    """Whether a value of Superset's JSON, with dates as milliseconds, is what a CSV says."""
    if given is None or expected == "":
        return given is None and expected == ""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return str(given).lower() == expected.lower()
    try:
        return math.isclose(given, float(expected), rel_tol=1e-9)
    except ValueError:
        return datetime.fromtimestamp(given / 1000, UTC).isoformat()[:10] == expected[:10]


def _picture(address: str, password: str, file: Path) -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if not chromium:
        print("No picture: Chromium is not installed.")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1500, "height": 2200})
        page.goto(f"{address}/login/")

        page.fill("input[name=username], #username", "admin")
        page.fill("input[name=password], #password", password)
        page.press("input[name=password], #password", "Enter")
        page.wait_for_url(lambda url: "/login" not in url, timeout=PATIENCE * 1000)
        page.goto(f"{address}/superset/dashboard/loyalty/?standalone=1")
        page.wait_for_selector(".dashboard-component-chart-holder", timeout=PATIENCE * 1000)
        page.wait_for_function(
            "() => !document.querySelector('.loading, [data-test=loading-indicator]')", timeout=PATIENCE * 1000
        )
        page.screenshot(path=str(file))
        browser.close()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise UserError("Superset's server ended at once: server.log in the folder says why.")
        try:
            if requests.get(address, timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.5)
    raise UserError(f"Superset's server does not answer within {PATIENCE} s: server.log in the folder says why.")


def _run(*command: str | Path, environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run([*map(str, command)], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"{Path(command[0]).name} {command[1]} failed: {done.stderr.strip()[-1000:]}")


def main(arguments: list[str]) -> None:
    """Write the ZIP or try the recipe, as the first word says."""
    match arguments:
        case ["zip", file, uri]:
            write_zip(Path(file), uri)
        case ["try", folder]:
            try_recipe(Path(folder))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        raise SystemExit(str(error)) from None
