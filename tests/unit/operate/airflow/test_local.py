"""What a local Airflow is given: this machine only, secrets of its own, ports that are free."""

import socket
import subprocess
import sys

from loyalty.operate.airflow.local import HOST, LocalAirflow, free_port, stop_sessions


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
    assert one.password not in one.environment.values()


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
