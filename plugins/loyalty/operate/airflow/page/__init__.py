"""The page of the warehouse in Airflow's UI: what is late, landed, quarantined, withheld and published.

Nothing heavy is imported here at the top: every part of Airflow, and every task, reads the plugins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

MOUNTED_AT = "/loyalty"


def address(path: str) -> str:
    """The address of a page for Airflow's menu; Airflow itself may be mounted below a path."""
    from airflow.configuration import conf

    return urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/") + MOUNTED_AT + path


class Page:
    """The page as Airflow mounts it; its application is made with the first request."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        from loyalty.operate.airflow.page.routes import app

        await app(scope, receive, send)
