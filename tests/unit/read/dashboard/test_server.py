"""The dashboard answers on this computer alone, and says in one sentence why it cannot start."""

from __future__ import annotations

import socket

import pytest

from loyalty.common.errors import UserError
from loyalty.read.dashboard import server


def test_it_is_bound_to_this_computer_and_reports_nothing() -> None:
    options = server.options(8501)
    assert options["server_address"] == "127.0.0.1"
    assert options["browser_gatherUsageStats"] is False


def test_a_port_that_is_taken_is_said() -> None:
    with socket.socket() as taken:
        taken.bind((server.ADDRESS, 0))
        taken.listen()
        with pytest.raises(UserError, match=r"cannot use port \d+ \(Address already in use\): give another one"):
            server.check_can_start(taken.getsockname()[1])


def test_without_streamlit_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "find_spec", lambda _: None)
    with pytest.raises(UserError, match="needs Streamlit: install it with"):
        server.check_can_start(8501)
