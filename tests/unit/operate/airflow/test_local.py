"""What a local Airflow is given: this machine only, secrets of its own, ports that are free."""

import configparser
import socket
import subprocess
import sys

import pytest

from loyalty.common.errors import UserError
from loyalty.operate.airflow.local import HOST, LocalAirflow, free_port, stop_sessions, write_config


def test_a_taken_port_is_passed_over():
    first = free_port(28080)
    with socket.socket() as taken:
        taken.bind((HOST, first))
        taken.listen()
        assert free_port(first) > first


def test_it_listens_on_this_machine_only_and_shares_one_fresh_secret(workspace, tmp_path):
    one, other = (LocalAirflow(workspace.settings, tmp_path / name) for name in ("one", "other"))
    assert one.environment["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert one.environment["LOYALTY_WORKSPACE"] == str(workspace.settings.workspace)
    assert one.environment["AIRFLOW__API_AUTH__JWT_SECRET"] != other.environment["AIRFLOW__API_AUTH__JWT_SECRET"]
    assert not set(one.passwords.values()) & set(one.environment.values())


def test_its_users_are_one_who_may_do_all_and_one_who_may_look(workspace, tmp_path):
    airflow = LocalAirflow(workspace.settings, tmp_path / "airflow")
    assert airflow.environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] == "admin:admin,viewer:viewer"
    assert len(set(airflow.passwords.values())) == 2


def test_stopping_reaches_the_children_of_a_process():
    script = "import subprocess as s; c = s.Popen(['sleep', '600']); print(c.pid, flush=True); c.wait()"
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    stop_sessions([parent])
    assert parent.poll() is not None
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(child)], capture_output=True, text=True, check=False).stdout
    assert state.strip() in ("", "Z"), "the child is still running"


def test_a_command_in_another_terminal_finds_the_settings_in_a_file_of_its_owner(workspace, tmp_path):
    home = tmp_path / "airflow"
    home.mkdir()
    airflow = LocalAirflow(workspace.settings, home)
    file = home / "airflow.cfg"
    file.write_text("[core]\nexecutor = of yesterday\n")
    write_config(file, airflow.own | {"AIRFLOW__CORE__DAGS_FOLDER": "/shop/50%/dags"})
    assert file.stat().st_mode & 0o777 == 0o600
    written = configparser.ConfigParser()  # reads `%` as Airflow does
    written.read(file)
    assert written["core"]["executor"] == "LocalExecutor"
    assert written["core"]["dags_folder"] == "/shop/50%/dags"
    assert written["database"]["sql_alchemy_conn"].startswith(f"sqlite:///{home}/airflow.db")
    assert written["api_auth"]["jwt_secret"] == airflow.environment["AIRFLOW__API_AUTH__JWT_SECRET"]


def test_a_part_that_ends_by_itself_is_started_again_once(workspace, tmp_path):
    ended = [sys.executable, "-c", "pass"]
    starts = []

    class Short(LocalAirflow):
        def _start(self, name):
            starts.append(name)
            self.processes[name] = subprocess.Popen(ended, start_new_session=True)

    airflow = Short(workspace.settings, tmp_path)
    airflow._start("triggerer")
    airflow.processes["scheduler"] = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        airflow.processes["triggerer"].wait()
        assert airflow.keep_alive() == ["triggerer"]
        airflow.processes["triggerer"].wait()
        with pytest.raises(UserError, match="Airflow's triggerer has ended by itself: see .*triggerer.log"):
            airflow.keep_alive()
        assert starts == ["triggerer", "triggerer"]
    finally:
        airflow.stop()
