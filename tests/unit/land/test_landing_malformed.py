"""Whatever bytes come: a whole load or one sentence, never a traceback, a prefix, or a text of our own."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.build.raw_views import feed_select
from loyalty.common.errors import LoadRejected
from loyalty.common.ledger import Ledger
from loyalty.land.landing import load_feed
from loyalty.land.loads import landed_folder, read_manifest
from loyalty.pull.formats.read import read_batches
from worlds.opened import opened
from worlds.own_feeds import Workspace

NOW = datetime(2026, 5, 9, 2, tzinfo=UTC)
NAMES = ["Order", "Customer", "When", "Total"]
ROWS = [[str(number), "比较满意", "2026-05-04", f"{number}.50"] for number in range(1, 9)]
TEXT = "".join(",".join(row) + "\n" for row in [NAMES, *ROWS])
FORMATS = ("csv", "csv.gz", "csv.zip", "csv.zip.bzip2", "csv.zip.lzma", "fixed_width", "jsonl", "parquet", "xlsx")
QUICK, LONG = 20, 1_500


def _gzip() -> bytes:
    return gzip.compress(TEXT.encode(), mtime=0)


def _zip(method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("orders.csv", TEXT)
    return file.getvalue()


def _parquet() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({name: [row[place] for row in ROWS] for place, name in enumerate(NAMES)}), file)
    return file.getvalue()


def _xlsx() -> bytes:
    file = io.BytesIO()
    book = openpyxl.Workbook()
    for row in [NAMES, *ROWS]:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


WRITERS: dict[str, Callable[[], bytes]] = {
    "csv": TEXT.encode,
    "csv.gz": _gzip,
    "csv.zip": _zip,
    "csv.zip.bzip2": lambda: _zip(zipfile.ZIP_BZIP2),
    "csv.zip.lzma": lambda: _zip(zipfile.ZIP_LZMA),
    "fixed_width": lambda: "".join("".join(f"{c:<12}" for c in row) + "\n" for row in [NAMES, *ROWS]).encode(),
    "jsonl": lambda: "".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in ROWS).encode(),
    "parquet": _parquet,
    "xlsx": _xlsx,
}


@cache
def whole(name: str) -> bytes:
    return WRITERS[name]()


def read(name: str, content: bytes) -> list[dict] | None:
    """The rows of a file, or None when it is refused in one printable line; anything else fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        kind = name.split(".")[0]
        options = {"names": NAMES, "widths": [12] * 4} if kind == "fixed_width" else {}
        feed = Workspace(Path(folder) / "shop").feed(format=kind, options=options)
        file = Path(folder) / "export"
        file.write_bytes(content)
        try:
            batches = list(read_batches(file, feed, 5, 10**6))
        except LoadRejected as refused:
            assert "\n" not in str(refused)
            return None
        return [row for batch in batches for row in batch.cells.to_pylist()]


def check_cut(name: str, length: int) -> None:
    """A prefix is refused unless it ends with a line or in the last cell of one: only a total line could show that."""
    content = whole(name)[:length]
    *lines, last = content.split(b"\n")
    if name == "csv":
        is_open = not last or not lines or last.count(b",") == len(NAMES) - 1
    elif name == "jsonl":
        is_open = not last or last in whole(name).split(b"\n")
    else:
        is_open = name == "fixed_width" and (not last or len(last.decode(errors="ignore")) >= 12 * len(NAMES))
    rows = read(name, content)
    assert is_open or rows is None
    assert not rows or rows[:-1] == (read(name, whole(name)) or [])[: len(rows) - 1]


def check_flip(name: str, changes: list[tuple[float, int]]) -> None:
    """A damaged file is refused or read; its texts are then ones that UTF-8 can say."""
    content = bytearray(whole(name))
    for place, value in changes:
        content[int(place * (len(content) - 1))] = value
    for row in read(name, bytes(content)) or []:
        assert all(cell is None or "\ufffd" not in cell for cell in row.values())


def check_rubbish(name: str, content: bytes) -> None:
    read(name, content)


PLACES = st.floats(min_value=0, max_value=1, exclude_max=True)
FLIPS = st.lists(st.tuples(PLACES, st.integers(0, 255)), min_size=1, max_size=4)


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_are_refused_in_a_sentence_or_read(name: str) -> None:
    _fuzz(name, QUICK)


@pytest.mark.torture
@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_long_form(name: str) -> None:
    for length in range(len(whole(name))):
        check_cut(name, length)
    _fuzz(name, LONG)


def _fuzz(name: str, examples: int) -> None:
    bounded = settings(max_examples=examples, database=None, derandomize=examples == QUICK)
    if examples == QUICK:  # the long form cuts at every byte
        bounded(given(PLACES)(lambda part: check_cut(name, int(part * len(whole(name))))))()
    bounded(given(FLIPS)(lambda changes: check_flip(name, changes)))()
    bounded(given(st.binary(max_size=200))(lambda content: check_rubbish(name, content)))()


@pytest.mark.parametrize("lines", range(1, len(ROWS)))
def test_a_line_that_is_cut_is_seen_wherever_a_batch_ends(lines: int) -> None:
    content = b"".join(whole("csv").splitlines(keepends=True)[: 1 + lines]) + b"9,"
    assert read("csv", content) is None
    assert len(read("csv", content[:-2]) or []) == lines


@pytest.mark.parametrize("name", ["csv.zip", "xlsx"])
def test_a_zip_of_a_version_that_is_not_known_is_refused(name: str) -> None:
    content = bytearray(whole(name))
    content[content.index(b"PK\x01\x02") + 6] = 64  # what is needed to unpack the first member
    assert read(name, bytes(content)) is None


def test_a_zip_whose_name_is_no_text_or_whose_places_are_not_there_is_refused() -> None:
    content = whole("csv.zip")
    central, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    for place, value in ((central + 9, 8), (end + 19, 255)):  # the flag that names are UTF-8; where the list begins
        changed = bytearray(content.replace(b"orders.csv", b"order\xd2.csv"))
        changed[place] = value
        assert read("csv.zip", bytes(changed)) is None


@pytest.mark.parametrize("length", range(1, 5))
def test_the_first_bytes_of_a_zip_are_no_header(length: int) -> None:
    assert read("csv.zip", whole("csv.zip")[:length]) is None


DEEP = "[" * 100_000 + "]" * 100_000
UNSAYABLE = {
    "deep": DEEP,
    "a deep value": f'{{"Order": {DEEP}}}',
    "half a character": '{"Order": "\\ud800"}',
    "half a character in a name": '{"\\uDfffx": "1"}',
}


@pytest.mark.parametrize("name", UNSAYABLE)
def test_a_json_record_that_no_text_can_say_is_none_and_the_others_are_read(name: str) -> None:
    first, second = whole("jsonl").decode().splitlines()[:2]
    rows = read("jsonl", f"{first}\n{UNSAYABLE[name]}\n{second}\n".encode())
    assert rows == [json.loads(first), json.loads(second)]


ENTITIES = {
    "that unfold": "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 50}">' for n in range(8)) + f'<!ENTITY e0 "{"x" * 1000}">',
    "from a file": '<!ENTITY e8 SYSTEM "file:///etc/hostname">',
}


@pytest.mark.parametrize("name", ENTITIES)
def test_a_workbook_with_entities_is_refused(name: str) -> None:
    book, file = zipfile.ZipFile(io.BytesIO(whole("xlsx"))), io.BytesIO()
    with zipfile.ZipFile(file, "w") as changed:
        for member in book.infolist():
            content = book.read(member).decode()
            if "sheet1" in member.filename:
                cell = '<row r="9"><c r="A9" t="inlineStr"><is><t>&e8;</t></is></c></row></sheetData>'
                body = content.partition("?>")[2] if content.startswith("<?xml") else content
                content = f"<!DOCTYPE x [{ENTITIES[name]}]>{body.replace('</sheetData>', cell)}"
            changed.writestr(member.filename, content)
    assert read("xlsx", file.getvalue()) is None


def test_a_small_parquet_file_with_very_many_rows_is_refused() -> None:
    file = io.BytesIO()
    same = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int8()), 1_000_000), pa.array(["比较满意"]))
    pq.write_table(pa.table(dict.fromkeys(NAMES, same)), file)
    assert len(file.getvalue()) < 100_000
    assert read("parquet", file.getvalue()) is None


@given(cut=st.integers(min_value=1, max_value=200))
@settings(max_examples=20)
def test_with_a_total_line_no_prefix_is_taken_for_the_whole(cut: int) -> None:
    content = TEXT + "TOTAL,8,,40.00\n"
    with tempfile.TemporaryDirectory() as folder:
        feed = Workspace(Path(folder) / "shop").feed(
            options={"trailer": r"^TOTAL,(?P<rows>\d+),,(?P<total>\d+\.\d\d)$"}
        )
        file = Path(folder) / "export"
        file.write_bytes(content.encode()[: -cut - 1])
        with pytest.raises(LoadRejected):
            list(read_batches(file, feed, 5, 10**6))


NASTY = ['"; drop table orders; --', "'); drop table orders; --", "select", "a b\tc", "../../x", "${jndi:x}", "{{ 1 }}"]


@pytest.mark.parametrize("nasty", NASTY)
def test_sql_in_headers_names_and_cells_is_text(workspace: Workspace, nasty: str) -> None:
    feed = workspace.feed(path="exports/*.csv")
    cell = '"' + nasty.replace('"', '""') + '"'
    file_name = "x" + nasty.replace("/", "_").replace("\t", " ") + ".csv"
    workspace.export(file_name, f"Order,Customer,When,Total,{cell}\n1,{cell},2026-05-04,1,{cell}\n")
    (outcome,) = load_feed(opened(workspace.settings), feed, now=NOW)
    assert outcome.outcome == "accepted", outcome.message
    (load,) = Ledger(workspace.settings.ledger).loads()
    select = feed_select(
        workspace.settings, feed.canonical, [(load, read_manifest(landed_folder(workspace.settings, load)))]
    )
    with duckdb.connect() as connection:
        connection.execute(f"create view orders as {select}")
        rows = connection.execute("select customer_id, _file, order_id from orders").fetchall()
        own = [name for (name, *_) in connection.execute("describe orders").fetchall() if name.startswith("x_")]
    assert rows == [(nasty, file_name, "1")]
    assert len(own) == 1


DRIFTS = {
    "reordered": ("Total,When,Customer,Order\n1,2026-05-04,a,1\n", "accepted", ""),
    "a column more": ("Order,Customer,When,Total,Shelf\n1,a,2026-05-04,1,9\n", "accepted", ""),
    "required one renamed": (
        "Order_No,Customer,When,Total\n1,a,2026-05-04,1\n",
        "rejected",
        "the nearest is `Order_No`",
    ),
    "mapped one removed": ("Order,When,Total\n1,2026-05-04,1\n", "rejected", "column `Customer`"),
    "retyped": ("Order,Customer,When,Total\n1,a,yesterday,1\n", "rejected", "ordered_at: a cell like"),
    "duplicated": ("Order,Customer,When,Total,Total\n1,a,2026-05-04,1,2\n", "rejected", "the column `Total` twice"),
    "in capitals": ("ORDER,Customer,When,Total\n1,a,2026-05-04,1\n", "rejected", "column `Order`"),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_a_changed_layout_is_taken_or_refused_by_name(workspace: Workspace, name: str) -> None:
    content, outcome, words = DRIFTS[name]
    workspace.export("orders_2026-05-04.csv", content)
    (loaded,) = load_feed(opened(workspace.settings), workspace.feed(), now=NOW)
    assert loaded.outcome == outcome, loaded.message
    assert words in loaded.message
