"""Starting the dashboard on this computer."""

from __future__ import annotations

import socket
from importlib.util import find_spec
from pathlib import Path

from loyalty.common.errors import UserError

ADDRESS = "127.0.0.1"
APP = Path(__file__).with_name("app.py")
FONT = "system-ui, 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"


def check_can_start(port: int) -> None:
    """Raise UserError where Streamlit is not installed or the port is taken."""
    if find_spec("streamlit") is None:
        raise UserError("The dashboard needs Streamlit: install it with `pip install 'loyalty-warehouse[dashboard]'`.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise UserError(
                f"The dashboard cannot use port {port} ({error.strerror}): give another one with `--port`."
            ) from None


def options(port: int) -> dict[str, object]:
    """Streamlit's settings: for this computer alone, without reports to its makers, in our colours."""
    return {
        "browser_gatherUsageStats": False,
        "client_disableDataExport": True,  # our own downloads have all rows, and no formulas
        "client_toolbarMode": "viewer",
        "client_showErrorDetails": "none",
        "client_showErrorLinks": "false",
        "global_developmentMode": False,
        "logger_hideWelcomeMessage": True,
        "logger_level": "error",
        "server_address": ADDRESS,
        "server_fileWatcherType": "none",
        "server_headless": True,
        "server_port": port,
        "theme_font": FONT,
        "theme_headingFontSizes": ["1.9rem", "1.5rem", "1.2rem"],
        "theme_light_primaryColor": "#1f5f8b",
        "theme_dark_primaryColor": "#6fb1de",
    }


def serve(port: int) -> None:
    """Serve the dashboard until it is stopped."""
    from streamlit.web import bootstrap

    flags = options(port)
    bootstrap.load_config_options(flags)
    bootstrap.run(str(APP), False, [], flags)
