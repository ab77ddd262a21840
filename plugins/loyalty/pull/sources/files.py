"""Finding the files of a feed and copying one, whole, into the raw folder.

A plain path is a local file: relative to `home`, or to the workspace when it begins with
`workspace:`. An address with a scheme (s3://, gs://, sftp://, ...) is read through Airflow's
ObjectStoragePath, whose connection id is before the host: s3://my_connection@bucket/orders.csv.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import urlparse

from loyalty.common.errors import LoadRejected, Transient, UserError
from loyalty.common.settings import Settings
from loyalty.pull.feeds import DATE_PLACEHOLDER, FeedConfig

WORKSPACE_PREFIX = "workspace:"
COPY_BYTES = 1 << 20
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # only writing ends with one of these
SAFE_NAME = re.compile(r"[^\w.\-]+")
NAME_PARTS = re.compile(r"(\{date\}|\*)")
LONGEST_NAME = 80  # characters; a file system takes 255 bytes


@dataclass(frozen=True)
class RawFile:
    """An export as it came: its address, its name, the checksum of its bytes, and our copy.

    `stamp` identifies a file without reading it (see `stamp_of`): a file with the same stamp is not read again.
    """

    uri: str
    name: str
    sha256: str
    copy: Path
    stamp: str = ""


def find_files(settings: Settings, feed: FeedConfig, day: date | None = None) -> list[str]:
    """The addresses of a feed's files, oldest export first; with `day`, only that day's file.

    Raises UserError when a day is asked of a feed whose path has no `{date}`.
    """
    if feed.path is None:
        if day:
            raise UserError(f"Feed `{feed.name}` is not a dated file, so a past date cannot be loaded again.")
        return [feed.http.address if feed.http else f"sql:{feed.name}"]
    if day and not feed.is_dated:
        raise UserError(
            f"Feed `{feed.name}` has no {DATE_PLACEHOLDER} in its path ({feed.path}), so it has no file for "
            f"{day}: run it without a date to load all that is new."
        )
    wanted = feed.path.replace(DATE_PLACEHOLDER, day.isoformat() if day else "*")
    found = _list(settings, wanted, is_open=feed.path.endswith("*"))
    if feed.is_dated:
        found = [uri for uri in found if feed.export_date(file_name(uri))]
    return sorted(found, key=lambda uri: (feed.export_date(file_name(uri)) or date.min, uri))


def file_name(uri: str) -> str:
    """The last part of an address."""
    return PurePosixPath(urlparse(uri).path if is_remote(uri) else uri).name


def shown(uri: str) -> str:
    """An address or a name as it can be printed and kept: what is not text is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in uri)


def address(settings: Settings, uri: str) -> str:
    """An address as it is remembered: relative to `home`, or to the workspace, so that both may be moved."""
    path = Path(uri.removeprefix("file://"))
    if is_remote(uri) or uri.startswith((WORKSPACE_PREFIX, "sql:")) or not path.is_absolute():
        return uri
    if path.is_relative_to(settings.home):
        return path.relative_to(settings.home).as_posix()
    if path.is_relative_to(settings.workspace):
        return f"{WORKSPACE_PREFIX}{path.relative_to(settings.workspace).as_posix()}"
    return uri


def stamp_of(settings: Settings, uri: str) -> str:
    """Size, time and inode of a local file, size and ETag of a remote one; empty where they are not known."""
    if is_remote(uri):
        found = _storage(uri).stat()
        tag = next((found[name] for name in ("ETag", "etag", "md5Hash") if found.get(name)), "")
        return f"{found.get('size')}:{tag}" if tag else ""
    try:
        found = local_path(settings, uri).stat()
    except OSError:
        return ""
    return f"{found.st_size}:{found.st_mtime_ns}:{found.st_ino}"


def modified_at(settings: Settings, uri: str) -> int | None:
    """The time of a file in nanoseconds; None where it is not known."""
    if not is_remote(uri):
        stamp = stamp_of(settings, uri)
        return int(stamp.split(":")[1]) if stamp else None
    found = _storage(uri).stat()
    for name in ("mtime", "LastModified", "last_modified", "updated", "modified"):
        value = found.get(name)
        if value is not None:
            seconds = value.timestamp() if hasattr(value, "timestamp") else float(value)
            return int(seconds * 1e9)
    return None


def dated_ahead(feed: FeedConfig, uri: str, now: datetime) -> str:
    """Why a file is rejected whose name has a date that has not come yet; empty when it is not.

    It would be the newest export for good. A day is allowed, since the date may be a place's that is ahead of UTC.
    """
    day = feed.export_date(file_name(uri))
    if day is None or day <= (now + timedelta(days=1)).date():
        return ""
    return f"its name has the date {day}, which has not come yet: correct the name and deliver the file again"


def names_that_do_not_fit(settings: Settings, feed: FeedConfig, others: Iterable[FeedConfig]) -> list[str]:
    """Local files that look like exports of a dated feed and are not read, because their names do not fit its path."""
    if feed.path is None or not feed.is_dated or is_remote(feed.path):
        return []
    base = settings.workspace if feed.path.startswith(WORKSPACE_PREFIX) else settings.home
    pattern = feed.path.removeprefix(WORKSPACE_PREFIX).removeprefix("file://")
    folder = base / Path(pattern).parent
    parts = [
        ".*" if part in ("*", DATE_PLACEHOLDER) else re.escape(part) for part in NAME_PARTS.split(Path(pattern).name)
    ]
    like = re.compile("".join("." if part == r"\?" else part for part in parts), re.IGNORECASE)
    taken = [other for other in others if other.path and other.name != feed.name]
    return sorted(
        file.name
        for file in (folder.iterdir() if folder.is_dir() else ())
        if like.fullmatch(file.name)
        and feed.export_date(file.name) is None
        and not any(other.export_date(file.name) or fnmatch(file.name, Path(other.path or "").name) for other in taken)
    )


def reason_to_reject(settings: Settings, uri: str) -> str:
    """Why a file is rejected before a byte of it is read: its name, its kind or its size; empty when it is not.

    No log and no ledger can hold a name with a line end or with bytes that are not UTF-8. A link may not lead out of
    its folder: a person who may put files there may not read ours. A pipe would keep the run waiting for its writer.
    """
    if not uri.isprintable():
        return "the name holds characters that cannot be printed, or is not UTF-8; rename the file"
    if is_remote(uri):  # a file of unknown size is copied as far as the limit
        return _too_large(settings.max_file_bytes) if _remote_size(uri) > settings.max_file_bytes else ""
    file = local_path(settings, uri)
    if not os.path.lexists(file):
        return ""
    if not file.exists():
        return "is a link to a file that is not there; put the file itself there"
    if file.is_symlink() and not file.resolve().is_relative_to(file.parent.resolve()):
        return "is a link that leads out of its folder; put the file itself there"
    if file.is_dir():
        return "is a folder; name the files in it in the feed's path, or put one file there"
    if not file.is_file():
        return "is not a file but a pipe, a socket or a device; put a file there"
    if file.stat().st_size > settings.max_file_bytes:
        return _too_large(settings.max_file_bytes)
    return ""


def _too_large(max_bytes: int) -> str:
    return f"is larger than {max_bytes:,} bytes; raise max_file_bytes if that is right"


def is_remote(uri: str) -> bool:
    """Whether an address has a scheme that is not a local path's."""
    return "://" in uri and not uri.startswith("file://")


def local_path(settings: Settings, path: str) -> Path:
    """A feed's path on this machine."""
    if path.startswith(WORKSPACE_PREFIX):
        return settings.workspace / path.removeprefix(WORKSPACE_PREFIX)
    return settings.home / path.removeprefix("file://")


def fetch(settings: Settings, feed: FeedConfig, uri: str) -> RawFile:
    """Copy one file into raw/<feed>/<checksum>/; the copy is there whole or not at all.

    Raises Transient when it cannot be read or grows while it is read, LoadRejected when its name, its size or
    its type is not allowed.
    """
    folder = settings.raw / feed.name
    try:
        if why := reason_to_reject(settings, uri):
            raise LoadRejected(why)
        folder.mkdir(parents=True, exist_ok=True)
        before = stamp_of(settings, uri)
        with _open(settings, uri) as stream:
            draft, sha256 = _copy(stream, folder, settings.max_file_bytes)
        has_changed = before != stamp_of(settings, uri) or (
            bool(before) and before.partition(":")[0] != str(draft.stat().st_size)
        )
    except (OSError, ImportError) as error:
        reason = getattr(error, "strerror", None) or error
        if getattr(error, "errno", None) in NO_ROOM:
            raise Transient(
                f"Feed `{feed.name}`: {folder} has no room for a copy of {shown(uri)} ({reason}); make room, "
                "it is tried again with the next run."
            ) from None
        raise Transient(f"Feed `{feed.name}`: {shown(uri)} cannot be read ({reason}).") from None
    if has_changed:  # longer, or written again from the start: the copy would be a mixture
        draft.unlink()
        name = shown(file_name(uri))
        raise Transient(
            f"Feed `{feed.name}`, file {name}: it was still being written; it is tried again with the next run."
        )
    return RawFile(
        address(settings, uri), file_name(uri), sha256, _keep(draft, folder / sha256, file_name(uri)), before
    )


def checksum(settings: Settings, uri: str) -> str:
    """SHA-256 of a file's bytes, without keeping a copy; LoadRejected when there are more than may be."""
    digest = hashlib.sha256()
    with _open(settings, uri) as stream:
        for block in _blocks(stream, settings.max_file_bytes):
            digest.update(block)
    return digest.hexdigest()


def _list(settings: Settings, wanted: str, is_open: bool) -> list[str]:
    """What a pattern finds. An open one, `exports/*`, passes over folders: it names no file, and shops keep an archive
    beside their exports. With an ending, `exports/orders_*.parquet`, a folder is a delivery, which is rejected.
    """
    if is_remote(wanted):
        storage = _storage(wanted.rsplit("/", 1)[0])
        return [str(path) for path in storage.glob(wanted.rsplit("/", 1)[1])]
    base = settings.workspace if wanted.startswith(WORKSPACE_PREFIX) else settings.home
    pattern = wanted.removeprefix(WORKSPACE_PREFIX).removeprefix("file://")
    _refuse_closed_folder(base / Path(pattern).parent)
    found = glob.glob(pattern, root_dir=base)  # noqa: PTH207 - what is in the base's own name is not a pattern
    return [str(base / path) for path in found if not (is_open and (base / path).is_dir())]


def _refuse_closed_folder(folder: Path) -> None:
    """UserError for a folder that may not be read: a pattern would find nothing there, and the run would succeed."""
    try:
        next(folder.iterdir(), None)
    except FileNotFoundError:  # nothing has been delivered yet, or the folder's name is a pattern too
        return
    except OSError as error:
        raise UserError(f"The folder of exports {folder} cannot be read ({error.strerror}).") from None


def _open(settings: Settings, uri: str) -> Any:
    return _storage(uri).open("rb") if is_remote(uri) else local_path(settings, uri).open("rb")


def _storage(uri: str) -> Any:
    """An address as Airflow's object storage reads it; UserError when no provider reads its scheme."""
    from airflow.sdk import ObjectStoragePath

    try:
        path = ObjectStoragePath(uri)
        _ = path.fs
    except (ValueError, ImportError):
        scheme = f"{uri.partition('://')[0]}://"
        raise UserError(f"{scheme} addresses cannot be read: install the Airflow provider that reads them.") from None
    return path


def _remote_size(uri: str) -> int:
    """How many bytes a remote file has; 0 where the store does not give it."""
    return _storage(uri).stat().get("size") or 0


def _blocks(stream: BinaryIO, max_bytes: int) -> Iterator[bytes]:
    """The bytes of a stream; LoadRejected as soon as there are more than may be."""
    read = 0
    while block := stream.read(COPY_BYTES):
        read += len(block)
        if read > max_bytes:
            raise LoadRejected(_too_large(max_bytes))
        yield block


def _copy(stream: BinaryIO, folder: Path, max_bytes: int) -> tuple[Path, str]:
    """A draft of our copy and the checksum of its bytes; whatever goes wrong, no draft stays."""
    digest = hashlib.sha256()
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".copy-")
    try:
        with os.fdopen(descriptor, "wb") as target:
            for block in _blocks(stream, max_bytes):
                digest.update(block)
                target.write(block)
            target.flush()
            os.fsync(target.fileno())
    except BaseException:
        Path(name).unlink()
        raise
    return Path(name), digest.hexdigest()


def _keep(draft: Path, folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    kept = folder / (SAFE_NAME.sub("_", name).lstrip(".")[-LONGEST_NAME:] or "export")
    draft.replace(kept)
    return kept
