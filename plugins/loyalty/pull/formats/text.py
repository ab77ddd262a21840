"""Text files as they come: packed or not, in the declared encoding, never mojibake."""

from __future__ import annotations

import codecs
import errno
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from loyalty.common.counted import counted
from loyalty.common.errors import LoadRejected

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK\x03\x04"
ENCRYPTED, PATCHED, STRONGLY_ENCRYPTED = 0x1, 0x20, 0x40  # flags of a member
READABLE_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What the unpackers raise: a name that is no text, a member that wants a newer zip than they know, ...
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError)
SAMPLE_BYTES = 65_536
BLOCK_CHARACTERS = 1 << 20
LONGEST_LINE = 1 << 23  # characters
# Characters no export means to write: they show a binary file or a wrong encoding.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")


class _Bounded(io.RawIOBase):
    """A stream that gives at most so many bytes (against a bomb or a mistake); LoadRejected when it is damaged."""

    def __init__(self, stream: BinaryIO, max_bytes: int) -> None:
        self._stream = stream
        self._left = max_bytes
        self._max = max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with _damage_rejected():
            block = self._stream.read(len(buffer))
        self._left -= len(block)
        if self._left < 0:
            raise LoadRejected(unpacks_to_more(self._max))
        buffer[: len(block)] = block
        return len(block)


def unpacks_to_more(max_bytes: int) -> str:
    """Why a file that is larger than it looks is rejected."""
    return f"unpacks to more than {max_bytes:,} bytes; raise max_file_bytes if that is right"


@contextmanager
def open_bytes(file: Path, max_bytes: int) -> Iterator[BinaryIO]:
    """The bytes of a plain, gzip or zip file (with one member); damage becomes LoadRejected."""
    head = _head(file, 4)
    if not head:
        raise LoadRejected("the file is empty")
    with ExitStack() as stack:
        with _damage_rejected():
            stream = _unpacked(file, head, stack)
        yield io.BufferedReader(_Bounded(stream, max_bytes))


def _unpacked(file: Path, head: bytes, stack: ExitStack) -> BinaryIO:
    if ZIP_MAGIC.startswith(head) and head != ZIP_MAGIC:
        raise EOFError("it ends within the first bytes of a zip")
    if head == ZIP_MAGIC:
        archive = stack.enter_context(zipfile.ZipFile(file))
        return stack.enter_context(archive.open(only_member(archive)))  # type: ignore[return-value]
    is_gzip = head.startswith(GZIP_MAGIC)
    return stack.enter_context(gzip.open(file, "rb") if is_gzip else file.open("rb"))  # type: ignore[return-value]


@contextmanager
def _damage_rejected() -> Iterator[None]:
    """Turn the errors of the unpackers into LoadRejected; errors of the disk (with a number) pass.

    An error about a place that is not in the file has a number, too.
    """
    try:
        yield
    except (*DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise LoadRejected(f"the packed file is cut short or damaged ({error})") from None


def _whole_lines(text: str) -> tuple[str, str, str]:
    """The whole lines at the beginning of a text, their last line end, and the rest; old files end lines with CR."""
    if "\n" in text:
        return text.rpartition("\n")
    whole, end, rest = text[:-1].rpartition("\r")  # the last character may be the first half of CR LF
    return whole, end, rest + text[-1:]


class Lines:
    """The lines of a text file with their line ends, decoded strictly, a block at a time.

    `ends_whole` is, once all lines are read, whether the last one had its line end.
    """

    def __init__(self, stream: BinaryIO, file: Path, declared: str) -> None:
        self.ends_whole = True
        self._stream = stream
        self._file = file
        self._declared = declared
        self._encoding = _encoding(stream, declared)

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self._blocks())

    def _blocks(self) -> Iterator[list[str]]:
        text = io.TextIOWrapper(self._stream, self._encoding, errors="strict", newline="")
        number, rest = 1, ""
        while block := self._read(text, number):
            if found := CONTROL.search(block):
                self._reject_control(found, number + (rest + block[: found.start()]).count("\n"))
            whole, end, rest = _whole_lines(rest + block)
            if len(rest) > LONGEST_LINE:
                raise LoadRejected(
                    f"line {number + whole.count(end) if end else number} has more than {LONGEST_LINE:,} characters: a "
                    "file without line ends, or of another format than the feed declares"
                )
            lines = list(io.StringIO(whole + end, newline=""))
            number += len(lines)
            yield lines
        if rest:
            lines = list(io.StringIO(rest, newline=""))
            self.ends_whole = lines[-1].endswith("\r")
            yield lines

    def _read(self, text: io.TextIOWrapper, number: int) -> str:
        try:
            return text.read(BLOCK_CHARACTERS)
        except UnicodeDecodeError as error:
            broken = _undecodable_line(self._file, self._declared) or number
            byte = error.object[error.start]
            raise LoadRejected(
                f"line {broken} is not {self._declared} (byte 0x{byte:02X}){_guess(self._file)}; set options.encoding"
            ) from None
        except UnicodeError as error:
            raise LoadRejected(f"the file is not {self._declared} ({error}); set options.encoding") from None

    def _reject_control(self, found: re.Match[str], line: int) -> None:
        raise LoadRejected(
            f"line {line} holds the character U+{ord(found.group()):04X}, which no text has: the file is not "
            f"written in {self._declared}{_guess(self._file)}; set options.encoding"
        )


@contextmanager
def open_lines(file: Path, encoding: str, max_bytes: int) -> Iterator[Lines]:
    """The lines of a text file, packed or not; LoadRejected when it is empty."""
    with open_bytes(file, max_bytes) as stream:
        yield Lines(stream, file, encoding)


def _encoding(stream: BinaryIO, declared: str) -> str:
    """The declared encoding, unless a byte order mark gives it; UTF-8 declared as something else is rejected."""
    sample = stream.peek(SAMPLE_BYTES)  # type: ignore[attr-defined]
    if sample.startswith(UTF16_MARKS):
        return "utf-16"
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if not sample.strip():
        raise LoadRejected("the file is empty")
    name = codecs.lookup(declared).name
    if not name.startswith("utf") and not sample.isascii() and _is_utf8(sample):
        raise LoadRejected(f"the file is written in utf-8 but declared as {declared}; set options.encoding: utf-8")
    return declared


def _is_utf8(sample: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(sample, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _guess(file: Path) -> str:
    import charset_normalizer

    with open_bytes(file, max_bytes=2**62) as stream:
        best = charset_normalizer.from_bytes(stream.read(SAMPLE_BYTES)).best()
    return f"; it looks like {best.encoding}" if best and best.encoding not in ("ascii", "utf_8") else ""


def _undecodable_line(file: Path, encoding: str) -> int | None:
    with open_bytes(file, max_bytes=2**62) as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                return number
    return None


def only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one file of a zip, read by its place in it and never written under its name."""
    members = [info for info in archive.infolist() if not info.is_dir()]
    if len(members) != 1:
        raise LoadRejected(f"the zip holds {counted(len(members), 'file')} where one export is expected")
    reject_unreadable(members[0])
    return members[0]


def reject_unreadable(member: zipfile.ZipInfo) -> None:
    """LoadRejected for a member with a password, or packed by a method that the standard library cannot undo."""
    if member.flag_bits & (ENCRYPTED | STRONGLY_ENCRYPTED):
        raise LoadRejected("the zip has a password; deliver it without one")
    if member.compress_type not in READABLE_METHODS or member.flag_bits & PATCHED:
        raise LoadRejected(f"the zip is packed by method {member.compress_type}, which cannot be read; use deflate")


def _head(file: Path, size: int) -> bytes:
    with file.open("rb") as stream:
        return stream.read(size)
