"""Exports that come by HTTP or from a database, with the login of an Airflow connection.

A Connection is never printed: its text holds the password.
"""

from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path
from typing import Any

from loyalty.common.errors import LoadRejected, Transient, UserError
from loyalty.pull.feeds import FeedConfig, HttpSource, SqlSource

TIMEOUT_SECONDS = 60  # for each piece of an answer
LONGEST_SECONDS = 3_600
FETCH_ROWS = 10_000


def download(feed: FeedConfig, folder: Path, max_bytes: int) -> Path:
    """What the feed's HTTP endpoint or query gives, as a file in `folder`; LoadRejected when it is more than may be."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".download-", delete=False) as handle:
        target = Path(handle.name)
    try:
        if feed.http:
            _get(feed, feed.http, target, max_bytes)
        elif feed.sql:
            _query(feed, feed.sql, target, max_bytes)
    except BaseException:
        target.unlink()
        raise
    return target


def _get(feed: FeedConfig, source: HttpSource, target: Path, max_bytes: int) -> None:
    import httpx

    connection = _connection(feed, source.connection)
    base = f"{connection.schema or 'https'}://{connection.host}" + (f":{connection.port}" if connection.port else "")
    login = (connection.login, connection.password or "") if connection.login else None
    ends_at = time.monotonic() + LONGEST_SECONDS
    whole = {"Accept-Encoding": "identity"}  # a packed answer that is cut short looks whole
    try:
        with (
            # httpx gives the login to no other host that the answer may lead to
            httpx.Client(auth=login, timeout=TIMEOUT_SECONDS, follow_redirects=True, max_redirects=5) as client,
            client.stream("GET", base + source.endpoint, headers=whole) as answer,
            target.open("wb") as file,
        ):
            answer.raise_for_status()
            if answer.status_code != httpx.codes.OK:
                raise UserError(
                    f"Feed `{feed.name}`: {source.address} answered {answer.status_code}, which is no whole export."
                )
            for block in answer.iter_bytes():
                file.write(block)
                _reject_too_large(file.tell(), max_bytes)
                if time.monotonic() > ends_at:
                    raise Transient(
                        f"Feed `{feed.name}`: {source.address} has not ended its answer in {LONGEST_SECONDS // 60} "
                        "minutes; it is tried again with the next run."
                    )
    except httpx.HTTPStatusError as error:
        raise UserError(
            f"Feed `{feed.name}`: {source.address} answered {error.response.status_code}; "
            f"check the connection `{source.connection}`."
        ) from None
    except httpx.HTTPError as error:
        what = "cut its answer short" if isinstance(error, httpx.RemoteProtocolError) else "cannot be reached"
        raise Transient(f"Feed `{feed.name}`: {source.address} {what} ({type(error).__name__}).") from None
    except httpx.InvalidURL:
        raise UserError(
            f"Feed `{feed.name}`: the host of connection `{source.connection}` and {source.address} make no address."
        ) from None


def _query(feed: FeedConfig, source: SqlSource, target: Path, max_bytes: int) -> None:
    import sqlalchemy

    engine = _engine(feed, source.connection)
    try:
        with engine.connect() as database, target.open("w", newline="", encoding="utf-8") as file:
            _allow_reading_only(database)
            result = database.execution_options(stream_results=True).execute(sqlalchemy.text(source.query))
            if not result.returns_rows:
                raise UserError(f"Feed `{feed.name}`: the query gives no rows; one SELECT is expected.")
            writer = csv.writer(file)
            writer.writerow(result.keys())
            for rows in result.partitions(FETCH_ROWS):
                writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
                _reject_too_large(file.tell(), max_bytes)
    except sqlalchemy.exc.OperationalError as error:
        raise Transient(
            f"Feed `{feed.name}`: the database of connection `{source.connection}` does not answer "
            f"({type(error.orig).__name__})."
        ) from None
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise UserError(f"Feed `{feed.name}`: the query failed ({type(error).__name__}).") from None
    finally:
        engine.dispose()


def _allow_reading_only(database: Any) -> None:
    """Let the database refuse every change in this session, where it can."""
    import sqlalchemy

    statements = {
        "postgresql": "set transaction read only",
        "mysql": "start transaction read only",
        "mariadb": "start transaction read only",
        "oracle": "set transaction read only",
        "sqlite": "pragma query_only = on",
    }
    if statement := statements.get(database.dialect.name):
        database.execute(sqlalchemy.text(statement))


def _reject_too_large(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise LoadRejected(f"the answer has more than {max_bytes:,} bytes; raise max_file_bytes if that is right")


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
