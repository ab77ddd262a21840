"""Airflow on one machine: a real scheduler and UI on 127.0.0.1, with its own home and its output in files.

`make airflow` runs this module. Each of Airflow's four processes gets a session of its own, so that
stopping reaches every process it has started.
"""

from __future__ import annotations

import base64
import configparser
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from loyalty.common.errors import UserError
from loyalty.common.settings import PRIVATE_UMASK, Settings, load_settings, shipped

HOST = "127.0.0.1"
FIRST_PORT = 8080
ROLES = {"admin": "admin", "viewer": "viewer"}  # of the users; each start gives them new passwords
READY_SECONDS = 180
STOP_SECONDS = 20
# How long a part of Airflow waits while another one writes, and how long it may read a file of DAGs: SQLite's own
# 5 seconds and Airflow's own 30 are too few on a busy machine.
PATIENT_SECONDS = 60
READ_SECONDS = 150
COMPONENTS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}


def airflow_environment(home: Path) -> dict[str, str]:
    """What Airflow needs to know before it is first imported: its home, and where our DAGs are."""
    plugins = shipped("dags").parent / "plugins"
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(shipped("dags")),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins if plugins.is_dir() else home / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


@dataclass
class LocalAirflow:
    """A scheduler, a DAG processor, a triggerer and an API server on this machine."""

    settings: Settings
    home: Path
    extra: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    started_again: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.port = free_port()
        self.passwords = {user: secrets.token_urlsafe(9) for user in ROLES}
        self.own = airflow_environment(self.home) | self._own() | self.extra
        self.environment = os.environ | self.own

    @property
    def url(self) -> str:
        """Where the UI is."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Prepare the database and start every process; `wait_until_ready` returns when it is usable."""
        self.home.mkdir(parents=True, exist_ok=True)
        self._passwords_file.write_text(json.dumps(self.passwords), encoding="utf-8")
        write_config(self.home / "airflow.cfg", self.own)
        if self.run("db", "migrate").returncode:
            raise UserError(f"Airflow's database could not be prepared: see {self.log('setup')}.")
        for name in COMPONENTS:
            self._start(name)

    def _start(self, name: str) -> None:
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(  # noqa: S603 - our own commands
                [sys.executable, "-m", "airflow", *COMPONENTS[name]],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """One `airflow` command in this Airflow's environment; what it prints goes to setup.log."""
        with self.log("setup").open("ab") as log:
            return subprocess.run(  # noqa: S603 - our own commands
                [sys.executable, "-m", "airflow", *arguments], env=self.environment, stdout=log, stderr=log, check=False
            )

    def log(self, name: str) -> Path:
        """The file with one process's output."""
        return self.home / f"{name}.log"

    def wait_until_ready(self) -> None:
        """Return when every part is healthy; UserError when one ends or the time is up."""
        deadline = time.monotonic() + READY_SECONDS
        while not self.is_healthy():
            self.refuse_dead()
            if time.monotonic() > deadline:
                raise UserError(f"Airflow was not ready after {READY_SECONDS} seconds: see the logs in {self.home}.")
            time.sleep(0.5)

    def is_healthy(self) -> bool:
        """Whether all four parts and the database answer."""
        try:
            with urllib.request.urlopen(f"{self.url}/api/v2/monitor/health", timeout=5) as answer:  # noqa: S310
                health = json.load(answer)
        except (OSError, ValueError, urllib.error.URLError):
            return False
        parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")
        return all((health.get(part) or {}).get("status") == "healthy" for part in parts)

    def refuse_dead(self) -> None:
        """Raise UserError when a process has ended by itself."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise UserError(f"Airflow's {name} has ended by itself: see {self.log(name)}.")

    def keep_alive(self) -> list[str]:
        """Start every part again that has ended by itself, once each; returns which. UserError when one ends again."""
        ended = [name for name, process in self.processes.items() if process.poll() is not None]
        if self.started_again.intersection(ended):
            self.refuse_dead()
        for name in ended:
            stop_sessions([self.processes[name]])  # what it has started is of no use without it
            self.started_again.add(name)
            self._start(name)
        return ended

    def stop(self) -> None:
        """End every process and all that they have started."""
        stop_sessions(self.processes.values())
        self.processes.clear()

    @property
    def _passwords_file(self) -> Path:
        return self.home / "passwords.json"

    def _own(self) -> dict[str, str]:
        """Few workers, this machine only, patience with SQLite, and secrets that live as long as these processes."""
        return {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home}/airflow.db?timeout={PATIENT_SECONDS}",
            "LOYALTY_WORKSPACE": str(self.settings.workspace),
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": str(READ_SECONDS),
            "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": str(READ_SECONDS + 30),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in ROLES.items()),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self._passwords_file),
            "AIRFLOW__API__HOST": HOST,
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        }


def write_config(file: Path, environment: dict[str, str]) -> None:
    """Write what the environment says of Airflow as its own file of settings, for commands in another terminal.

    It holds secrets, so only its owner can read it. Airflow takes `%` in a value for the start of a name.
    """
    config = configparser.ConfigParser(interpolation=None)
    for name, value in environment.items():
        if name.startswith("AIRFLOW__"):
            _, section, key = name.split("__")
            config.setdefault(section.lower(), {})
            config[section.lower()][key.lower()] = value.replace("%", "%%")
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    with file.open("w", encoding="utf-8") as handle:
        config.write(handle)


def stop_sessions(leaders: Collection[subprocess.Popen[bytes]]) -> None:
    """End processes that were started with a session of their own, with all in it; by force after `STOP_SECONDS`."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        for leader in leaders:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(leader.pid, sent)
        deadline = time.monotonic() + STOP_SECONDS
        for leader in leaders:
            with contextlib.suppress(subprocess.TimeoutExpired):
                leader.wait(max(0.1, deadline - time.monotonic()))


def free_port(first: int = FIRST_PORT) -> int:
    """The first free port of this machine from `first` on."""
    for port in range(first, first + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise UserError(f"Every port from {first} to {first + 99} is taken on {HOST}: stop what listens there.")


@contextlib.contextmanager
def running(airflow: LocalAirflow) -> Iterator[LocalAirflow]:
    """Airflow, ready, for as long as the block lasts."""
    try:
        airflow.start()
        airflow.wait_until_ready()
        yield airflow
    finally:
        airflow.stop()


def main() -> int:
    """Run until Ctrl-C."""
    os.umask(PRIVATE_UMASK)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        settings = load_settings()
        airflow = LocalAirflow(settings, settings.home / "airflow")
        if settings.workspace == shipped("dags").parent:  # the project itself is the demo's workspace
            from loyalty.demo import write_exports

            print("Writing the sample exports (about 20 s the first time) ...", flush=True)
            print(write_exports(settings.home / "exports"), flush=True)
        print(f"Starting Airflow for {settings.workspace} (about half a minute) ...", flush=True)
        with running(airflow):
            print(f"\n  Airflow   {airflow.url}")
            for user, password in airflow.passwords.items():
                print(f"  {user:<8}  {password}  (password until Ctrl-C)")
            print()
            print("The load DAGs run on their schedule; to load now, trigger them there: a build follows by itself.")
            print("For airflow's own commands in another terminal (from its settings in airflow.cfg):")
            print(f"  export AIRFLOW_HOME={airflow.home} LOYALTY_WORKSPACE={settings.workspace}")
            print(f"Logs are in {airflow.home}. Ctrl-C stops it.", flush=True)
            while True:
                for name in airflow.keep_alive():
                    print(
                        f"Airflow's {name} has ended by itself and is started again: see {airflow.log(name)}.",
                        flush=True,
                    )
                time.sleep(1)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 0
    except UserError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
