"""Formats: files as they come, whole or refused, never mojibake."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.common.errors import LoadRejected
from loyalty.pull.feeds import FeedConfig, FormatOptions
from loyalty.pull.formats import delimited
from loyalty.pull.formats.batch import Batch
from loyalty.pull.formats.read import read_batches
from worlds.own_feeds import Workspace

HEADER = "Order,Customer,When,Total\n"
ROWS = "1,a,2026-05-04,1.50\n2,b,2026-05-04,2.50\n"
CHINESE = "Order,Customer,When,Total\n1,比较满意,2026-05-04,1.50\n"


def read(feed: FeedConfig, content: bytes, folder: Path, batch_rows: int = 100, max_bytes: int = 10**6) -> list[Batch]:
    file = folder / "export"
    file.write_bytes(content)
    return list(read_batches(file, feed, batch_rows, max_bytes))


def cells(batches: list[Batch]) -> list[list[str]]:
    return [list(row.values()) for batch in batches for row in batch.cells.to_pylist()]


@pytest.fixture
def feed(workspace: Workspace) -> FeedConfig:
    return workspace.feed()


@pytest.mark.parametrize(
    "content",
    [
        (HEADER + ROWS).encode(),
        (HEADER + ROWS).replace("\n", "\r\n").encode(),
        (HEADER + ROWS).encode("utf-8-sig"),
        (HEADER + ROWS).encode("utf-16"),
        gzip.compress((HEADER + ROWS).encode(), mtime=0),
        (HEADER + ROWS).rstrip("\n").encode(),
        (HEADER + "\n" + ROWS + "\n\n").encode(),
    ],
    ids=["plain", "crlf", "bom", "utf-16", "gzip", "no last line end", "blank lines"],
)
def test_the_same_rows_however_they_are_written(feed: FeedConfig, tmp_path: Path, content: bytes) -> None:
    assert cells(read(feed, content, tmp_path)) == [["1", "a", "2026-05-04", "1.50"], ["2", "b", "2026-05-04", "2.50"]]


def test_a_zip_with_one_file_is_that_file(feed: FeedConfig, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../orders.csv", HEADER + ROWS)
    assert len(cells(read(feed, packed.getvalue(), tmp_path))) == 2


def test_line_numbers_are_the_files_own(feed: FeedConfig, tmp_path: Path) -> None:
    content = HEADER + '1,"a\nb",2026-05-04,1\n\n2,b\n3,c,2026-05-04,3\n'
    (batch,) = read(feed, content.encode(), tmp_path)
    assert batch.lines.to_pylist() == [2, 6]
    assert [(bad.line, bad.reason) for bad in batch.bad_lines] == [(5, "2 cells where the header has 4")]


@pytest.mark.parametrize(
    ("encoding", "options"),
    [("gb18030", {"encoding": "gb18030"}), ("big5", {"encoding": "big5"}), ("utf-8", {})],
)
def test_chinese_in_the_encoding_declared(workspace: Workspace, tmp_path: Path, encoding: str, options: dict) -> None:
    feed = workspace.feed(options=options)
    content = CHINESE.replace("满", "滿") if encoding == "big5" else CHINESE
    content = content.replace("较", "較") if encoding == "big5" else content
    assert cells(read(feed, content.encode(encoding), tmp_path))[0][1].startswith("比")


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        (b"", {}, "the file is empty"),
        (b"\n", {}, "the file is empty"),
        (CHINESE.encode("gb18030"), {}, "line 2 is not utf-8"),
        (CHINESE.encode("utf-8"), {"encoding": "cp1252"}, "written in utf-8 but declared as cp1252"),
        (HEADER.encode("utf-16-le"), {}, "U+0000"),
        (b"Order,Customer,When,Total\n1,a\x00,2026,1\n", {}, "U+0000"),
        (gzip.compress((HEADER + ROWS * 500).encode(), mtime=0)[:-20], {}, "cut short or damaged"),
        (gzip.compress((HEADER + ROWS * 500).encode(), mtime=0)[:40], {}, "cut short or damaged"),
        (b"PK\x03\x04rubbish", {}, "cut short or damaged"),
        ((HEADER + ROWS).encode()[:-18], {}, "stops in the middle"),
        ((HEADER + '1,"a,2026-05-04,1\n' + ROWS).encode(), {}, "the quotes do not close"),
        ((HEADER + f"1,{'a' * 1_000_001},2026-05-04,1\n").encode(), {}, "line 2: a cell has more than 1,000,000 char"),
        (b"Order,Order,When,Total\n1,2,3,4\n", {}, "the column `Order` twice"),
        ((HEADER + ROWS).encode(), {"trailer": "^TOTAL"}, "the total line at the end is missing"),
        ((HEADER + ROWS + "TOTAL,2,,\n" + ROWS).encode(), {"trailer": "^TOTAL"}, "rows after the total line"),
        (gzip.compress(b"a" * 3_000_000, mtime=0), {}, "unpacks to more than 2,000,000 bytes"),
    ],
)
def test_what_is_not_whole_is_refused_in_one_sentence(
    workspace: Workspace, tmp_path: Path, content: bytes, options: dict, sentence: str
) -> None:
    with pytest.raises(LoadRejected) as refused:
        read(workspace.feed(options=options), content, tmp_path, max_bytes=2 * 10**6)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@given(cut=st.integers(min_value=1, max_value=400))
@settings(max_examples=60)
def test_a_gzip_cut_anywhere_is_refused(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("cut")
    feed = Workspace(folder / "shop").feed()
    packed = gzip.compress((HEADER + "".join(f"{n},c{n * 7919},2026-05-04,{n}.50\n" for n in range(300))).encode())
    with pytest.raises(LoadRejected):
        read(feed, packed[: max(3, len(packed) - cut)], folder)


def test_the_trailer_is_read_and_is_no_row(workspace: Workspace, tmp_path: Path) -> None:
    feed = workspace.feed(options={"trailer": r"^TOTAL,(?P<rows>\d+),,(?P<total>[\d.]+)"})
    batch = read(feed, (HEADER + ROWS + "TOTAL,2,,4.00\n").encode(), tmp_path)[-1]
    assert batch.trailer is not None
    assert (batch.trailer.row_count, batch.trailer.total, len(batch.lines)) == (2, Decimal("4.00"), 2)


def test_batches_are_bounded(feed: FeedConfig, tmp_path: Path) -> None:
    batches = read(feed, (HEADER + ROWS * 10).encode(), tmp_path, batch_rows=7)
    assert [len(batch.lines) for batch in batches] == [7, 7, 6]


@given(
    lines=st.lists(st.lists(st.text('ab1 ,"é\r', max_size=4), min_size=3, max_size=5).map(",".join), max_size=12),
    line_end=st.sampled_from(["\n", "\r\n"]),
    batch_rows=st.integers(1, 5),
)
def test_the_quick_way_reads_what_the_careful_way_reads(
    lines: list[str], line_end: str, batch_rows: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Lines without quotes are read in one go; rows, numbers, bad lines and refusals are the csv module's."""
    file = tmp_path_factory.mktemp("lines") / "export"
    file.write_bytes(line_end.join(["Order,Customer,When,Total", *lines, ""]).encode())

    def outcome() -> object:
        try:
            batches = list(delimited.read(file, FormatOptions(), batch_rows, 10**6))
        except LoadRejected as refusal:
            return str(refusal)
        rows = [
            (line, row) for batch in batches for line, row in zip(batch.lines.to_pylist(), cells([batch]), strict=True)
        ]
        return rows, [bad for batch in batches for bad in batch.bad_lines]

    quick = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_plain_cells", lambda *_: None)
        assert outcome() == quick


def test_fixed_width(workspace: Workspace, tmp_path: Path) -> None:
    feed = workspace.feed(
        format="fixed_width", options={"names": ["Order", "Customer", "When", "Total"], "widths": [3, 3, 11, 6]}
    )
    (batch,) = read(feed, b" id  c        day  total\r\n  1  a 2026-05-04  1.50\r\n  2  b\r\n", tmp_path)
    assert batch.cells.to_pylist()[0]["When"].strip() == "2026-05-04"
    assert [bad.line for bad in batch.bad_lines] == [3]


def test_xlsx_jsonl_and_parquet_give_the_same_cells(workspace: Workspace, tmp_path: Path) -> None:
    header, row = ["Order", "Customer", "When", "Total"], ["1", "a", "2026-05-04", "1.5"]
    book = openpyxl.Workbook()
    book.active.append(header)
    book.active.append([1, "a", "2026-05-04", 1.5])
    book.save(tmp_path / "book")
    json_line = json.dumps(dict(zip(header, [1, "a", "2026-05-04", 1.5], strict=True))) + "\n"
    pq.write_table(pa.table({"Order": [1], "Customer": ["a"], "When": ["2026-05-04"], "Total": [1.5]}), tmp_path / "pq")
    contents = {
        "xlsx": (tmp_path / "book").read_bytes(),
        "jsonl": json_line.encode(),
        "parquet": (tmp_path / "pq").read_bytes(),
    }
    for name, content in contents.items():
        assert cells(read(workspace.feed(format=name), content, tmp_path)) == [row], name


def test_a_fixed_width_file_cut_in_its_last_cell_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    feed = workspace.feed(format="fixed_width", options={"names": ["Order", "Total"], "widths": [3, 8]}, columns={})
    with pytest.raises(LoadRejected, match="line 3 stops in the middle"):
        read(feed, b"  n   total\n  1  132.81\n  2  132", tmp_path)


@pytest.mark.parametrize("name", ["xlsx", "parquet", "jsonl"])
def test_rubbish_is_refused_in_every_format(workspace: Workspace, tmp_path: Path, name: str) -> None:
    for content in (b"", b"PK\x03\x04rubbish", b"PAR1rubbish"):
        feed = workspace.feed(format=name)
        if name == "jsonl" and content:
            content = b'{"Order": 1}\n{"Ord'
        with pytest.raises(LoadRejected):
            read(feed, content, tmp_path)
