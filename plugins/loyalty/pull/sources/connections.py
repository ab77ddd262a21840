"""Exports that come by HTTP or from a database, with the login of an Airflow connection.

A Connection is never printed: its text holds the password.
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

from loyalty.common.errors import Transient, UserError
from loyalty.pull.feeds import FeedConfig, HttpSource, SqlSource

TIMEOUT_SECONDS = 60
FETCH_ROWS = 10_000


def download(feed: FeedConfig, folder: Path) -> Path:
    """What the feed's HTTP endpoint or query gives, as a file in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".download-", delete=False) as handle:
        target = Path(handle.name)
    try:
        if feed.http:
            _get(feed, feed.http, target)
        elif feed.sql:
            _query(feed, feed.sql, target)
    except BaseException:
        target.unlink()
        raise
    return target


def _get(feed: FeedConfig, source: HttpSource, target: Path) -> None:
    import httpx

    connection = _connection(feed, source.connection)
    base = f"{connection.schema or 'https'}://{connection.host}" + (f":{connection.port}" if connection.port else "")
    login = (connection.login, connection.password or "") if connection.login else None
    try:
        with (
            httpx.stream("GET", base + source.endpoint, auth=login, timeout=TIMEOUT_SECONDS) as answer,
            target.open("wb") as file,
        ):
            answer.raise_for_status()
            for block in answer.iter_bytes():
                file.write(block)
    except httpx.HTTPStatusError as error:
        raise UserError(
            f"Feed `{feed.name}`: {source.address} answered {error.response.status_code}; "
            f"check the connection `{source.connection}`."
        ) from None
    except httpx.HTTPError as error:
        raise Transient(f"Feed `{feed.name}`: {source.address} cannot be reached ({type(error).__name__}).") from None


def _query(feed: FeedConfig, source: SqlSource, target: Path) -> None:
    import sqlalchemy

    engine = _engine(feed, source.connection)
    try:
        with engine.connect() as database, target.open("w", newline="", encoding="utf-8") as file:
            result = database.execution_options(stream_results=True).execute(sqlalchemy.text(source.query))
            writer = csv.writer(file)
            writer.writerow(result.keys())
            for rows in result.partitions(FETCH_ROWS):
                writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    except sqlalchemy.exc.OperationalError as error:
        raise Transient(
            f"Feed `{feed.name}`: the database of connection `{source.connection}` does not answer "
            f"({type(error.orig).__name__})."
        ) from None
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise UserError(f"Feed `{feed.name}`: the query failed ({type(error).__name__}).") from None
    finally:
        engine.dispose()


def _engine(feed: FeedConfig, name: str) -> Any:
    """The database of a connection; UserError when no driver for it is installed."""
    import sqlalchemy

    connection = _connection(feed, name)
    uri = connection.get_uri().replace("postgres://", "postgresql+psycopg2://", 1)  # the driver that is installed
    try:
        return sqlalchemy.create_engine(uri, hide_parameters=True)
    except (sqlalchemy.exc.ArgumentError, ImportError):
        raise UserError(
            f"Feed `{feed.name}`: databases of the type `{connection.conn_type}` cannot be read (connection `{name}`): "
            "install SQLAlchemy's driver for it."
        ) from None


def _connection(feed: FeedConfig, name: str) -> Any:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError

    try:
        return Connection.get(name)
    except (AirflowNotFoundException, AirflowRuntimeError):
        variable = f"AIRFLOW_CONN_{name.upper()}"
        raise UserError(
            f"Feed `{feed.name}`: there is no connection `{name}`; define it in Airflow or as {variable}."
        ) from None
