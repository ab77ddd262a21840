"""From an export's text cells to the typed columns of its canonical feed.

A cell that cannot be read as its type makes its row a fault, never a NULL: what is missing and what
is broken stay apart.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from math import prod
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from loyalty.common.errors import LoadRejected
from loyalty.land.numbers import WHOLE_NUMBER, currency_codes, decimals, is_shown, money, only_matching, plain_numbers
from loyalty.privacy.keys import Key, landed_hash
from loyalty.privacy.personal_text import holds_personal_text
from loyalty.pull.contract import SQL_TYPES, Column, local_date_name
from loyalty.pull.feeds import ColumnMapping, FeedConfig, FormatOptions
from loyalty.pull.formats.batch import Batch
from loyalty.pull.patterns import first_group, is_found

ARROW_TYPES: dict[str, pa.DataType] = {
    "varchar": pa.string(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
    "decimal(18,4)": pa.decimal128(18, 4),
    "decimal(18,8)": pa.decimal128(18, 8),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
}
TEXT_FORMATS = ("csv", "fixed_width")
LINE = "_line"  # as an origin: the number of the line
YEARS = ("0002", "9998")  # years at the edge of the calendar fall off it in another time zone
TRUE_WORDS = ("true", "t", "yes", "y", "1")
FALSE_WORDS = ("false", "f", "no", "n", "0")
NUMBERS = ("decimal", "rate", "integer")
MONEY_COLUMNS = ("amount", "price", "cost")  # how the names of columns with amounts of money end
CURRENCY_COLUMNS = ("currency_code", "from_currency", "to_currency")
DATE_ONLY = r"^\d{4}-?\d{2}-?\d{2}$"
ISO_DAY = r"^(\d{4}-\d{2}-\d{2})[T ].*$"
EPOCH_DIGITS = {10: "seconds", 13: "milliseconds", 16: "microseconds"}
MICROSECONDS = {
    "seconds": 1_000_000,
    "milliseconds": 1_000,
    "microseconds": 1,
    "minutes": 60_000_000,
    "hours": 3_600_000_000,
    "days": 86_400_000_000,
}
NAMED_OFFSET = r"\s*(?:GMT|UTC)(?:([+-])(\d{1,2})(?::?(\d{2}))?)?$"  # as in `3:00:00 PM GMT+3`
# An offset of ISO 8601 follows a clock: `10:14-04`, `10:14:00.5 +0200`, `T10+02:00`, `T1014Z`.
CLOCK = r"(?:\d:\d{2}(?::\d{2}(?:[.,]\d+)?)?|T\d{2}(?:\d{2}){0,2}(?:[.,]\d+)?)"
WITH_OFFSET = rf"{CLOCK}\s*(?:[+-]\d{{2}}(?::?\d{{2}}){{0,2}}|[Zz])$"
# Extra columns that would carry personal data along; they are dropped at landing.
PERSONAL_NAME = re.compile(
    r"e_?mail|(^|_)mail$|phone|mobile|fax|street|address|zip|postal|(^|_)ip(_|$)|birth_?da(y|te)|latitude|longitude"
    r"|^(first|last|middle|full|customer|contact|billing|shipping|recipient|recipient_first|recipient_last)_?name$"
    r"|telefon|teléfono|(^|_)handy(_|$|nummer)|adress|dirección|stra(ss|ß)e|geburt|(vor|nach)name|prénom|apellido"
    r"|邮箱|邮件地址|电话|手机|地址|邮编|姓名|身份证|出生日期|生日"
)


@dataclass(frozen=True)
class Fault:
    """Why one row cannot be landed: its position in the batch, the rule it broke, and a sentence."""

    row: int
    rule: str
    column: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """How the headers of one file become the columns of its feed; `given` are those the file really has."""

    feed: FeedConfig
    origins: dict[str, ColumnMapping]
    extras: dict[str, str]
    dropped: tuple[str, ...]
    given: tuple[str, ...] = ()

    @property
    def added(self) -> list[str]:
        """The user's own columns, kept as `x_*`."""
        return list(self.extras.values())


@dataclass(frozen=True)
class Typed:
    """A batch as landing keeps it, with the rows that cannot be landed named in `faults`."""

    table: pa.Table
    faults: list[Fault]


def plan_columns(feed: FeedConfig, header: list[str]) -> Plan:
    """Which header feeds which canonical column.

    Raises LoadRejected when a required column, or one that the YAML names, is missing: with the file's
    nearest header.
    """
    if not feed.is_ragged:
        reject_missing(feed, header)
    origins = _origins(feed, header)
    taken = {name for origin in origins.values() for name in origin.headers} | {feed.version}
    extras, dropped = _extras([name for name in header if name not in taken])
    given = tuple(
        name for name, origin in origins.items() if all(_has(feed, header, wanted) for wanted in origin.headers)
    )
    return Plan(feed, origins, extras, tuple(dropped), given)


def reject_missing(feed: FeedConfig, header: list[str]) -> None:
    """LoadRejected when a file's headers lack a column that is required or that the YAML names.

    JSON objects may leave out a key that has no value, so of those only the required ones must be there.
    """
    origins = _origins(feed, header)
    for name, origin in origins.items():
        is_optional = feed.is_ragged and name not in feed.canonical.required
        lacking = [wanted for wanted in origin.headers if not _has(feed, header, wanted)]
        if lacking and not is_optional:
            raise LoadRejected(missing_sentence(name, lacking[0], header))
    for name in feed.canonical.required:
        if name not in origins and not (name == "currency_code" and feed.currency):
            raise LoadRejected(missing_sentence(name, name, header))
    if feed.version and feed.version not in header:
        raise LoadRejected(missing_sentence("version", feed.version, header))


def _has(feed: FeedConfig, header: list[str], wanted: str) -> bool:
    """Whether a file has a column; of JSON `a.b` is the value `b` in the object `a`."""
    return wanted in (LINE, *header) or (feed.is_ragged and wanted.split(".")[0] in header)


def _origins(feed: FeedConfig, header: list[str]) -> dict[str, ColumnMapping]:
    """Where each canonical column comes from: the header of its own name, unless the YAML names another."""
    own = {name: ColumnMapping.model_validate({"from": name}) for name in feed.canonical.columns if name in header}
    return own | feed.columns


def to_canonical(batch: Batch, plan: Plan, key: Key) -> Typed:
    """One batch, typed; personal columns are hashed or dropped here and exist nowhere behind this line.

    The lineage columns that belong to the load (`_file`, `_loaded_at`, ...) are added by landing.
    """
    feed, options = plan.feed, plan.feed.options
    landed: dict[str, pa.Array] = {}
    faults: list[Fault] = []
    named_currencies: dict[str, pa.Array] = {}
    for column in feed.canonical.columns.values():
        text, of_text = _cells(batch, plan, column)
        faults += of_text
        if column.personal:
            landed |= _without_person(column, text, key)
            continue
        if column.name in feed.hashed_ids:
            text = _hashed(text, key)
        if _is_money(column):
            plain, named_currencies[column.name] = money(text, _number_options(feed))
            values = decimals(plain, 4)
        else:
            values = _typed(text, column.type, feed)
        faults += _unreadable(column, text, values, feed)
        if column.required:
            unfit = {fault.row for fault in of_text}
            faults += [fault for fault in _absent(column, text) if fault.row not in unfit]
        origin = plan.origins.get(column.name)
        if origin is not None and origin.plus:
            values, of_durations = _later(values, batch, plan, column, origin)
            faults += of_durations
        landed[column.name] = values
        if column.type == "timestamp":
            landed[local_date_name(column.name)] = local_dates(values, feed.zone)
    faults += _other_currencies(named_currencies, landed.get("currency_code"))
    for header, name in plan.extras.items():
        landed[name] = _clean(_column(batch, header), options)
    landed["_line"] = batch.lines
    landed["_version_at"], of_version = _version(batch, plan)
    faults += of_version
    return Typed(pa.table(landed), faults)


def _is_money(column: Column) -> bool:
    return column.type == "decimal" and column.name.endswith(MONEY_COLUMNS)


def _other_currencies(named: dict[str, pa.Array], codes: pa.Array | None) -> list[Fault]:
    """Amounts that name another currency than their row does."""
    if codes is None:
        return []
    return [
        Fault(
            row,
            "currency",
            name,
            f"{name}: the cell is in {of_cell[row].as_py()} and currency_code says {codes[row].as_py()}",
        )
        for name, of_cell in named.items()
        for row in pc.indices_nonzero(pc.fill_null(pc.not_equal(of_cell, codes), False)).to_pylist()
    ]


def _cells(batch: Batch, plan: Plan, column: Column) -> tuple[pa.Array, list[Fault]]:
    """The text of a canonical column: trimmed, mapped, with NULL for the feed's null values; and what does not fit."""
    origin = plan.origins.get(column.name)
    feed, size = plan.feed, batch.cells.num_rows
    faults: list[Fault] = []
    if origin is None:
        text = pa.nulls(size, pa.string())
    elif origin.value is not None:
        constant = pa.repeat(origin.value, size)
        text = _as_written(constant, feed) if column.type in NUMBERS else constant
    elif origin.source == LINE:
        text = batch.lines.cast(pa.string())
    elif origin.multiply:
        text, faults = _product(batch, plan, column, origin)
    else:
        raw = _joined(batch, feed, origin) if origin.join else _column(batch, origin.source or "")
        if origin.pattern:
            raw, faults = _extracted(raw, origin.pattern, column, feed.options)
        text = _mapped(raw, origin.map, feed.options)
        if origin.unix:
            text = _from_unix(text, origin.unix)
        if origin.factor is not None:
            text = _multiplied(text, origin.factor, feed)
    if column.name in CURRENCY_COLUMNS:
        text = currency_codes(text)
        if column.name == "currency_code" and feed.currency is not None:
            text = pc.fill_null(text, feed.currency)
    return text, faults


def _joined(batch: Batch, feed: FeedConfig, origin: ColumnMapping) -> pa.Array:
    """Several cells as one text; NULL where one of them is empty, or two records could have one id."""
    parts = [_clean(_column(batch, header), feed.options) for header in origin.join]
    return pc.binary_join_element_wise(*parts, " " if origin.separator is None else origin.separator)


def _extracted(raw: pa.Array, pattern: str, column: Column, options: FormatOptions) -> tuple[pa.Array, list[Fault]]:
    """What the pattern's first group (without one: the whole pattern) finds; a cell that does not fit is a fault."""
    text = _clean(raw, options)
    unfit = pc.fill_null(pc.invert(is_found(text, pattern)), False)
    faults = [
        Fault(
            row,
            "readable",
            column.name,
            f"{column.name}: a cell like `{shape(text[row].as_py())}` does not fit the pattern of its column",
        )
        for row in pc.indices_nonzero(unfit).to_pylist()
    ]
    return first_group(text, pattern), faults


def _product(batch: Batch, plan: Plan, column: Column, origin: ColumnMapping) -> tuple[pa.Array, list[Fault]]:
    """The exact product of some columns, less some others, times the factor, as the feed's numbers are written.

    Without one of its factors there is no product; nothing is taken away where a cell of `minus` is empty.
    """
    feed = plan.feed
    faults: dict[int, Fault] = {}
    numbers: dict[str, list[Decimal | None]] = {}
    for header in origin.headers:
        text = _clean(_column(batch, header), feed.options)
        plain, _ = money(text, _number_options(feed))
        for row in pc.indices_nonzero(pc.and_(pc.is_valid(text), pc.is_null(plain))).to_pylist():
            faults[row] = Fault(
                row, "readable", column.name, f"{column.name}: {_as_found(text[row].as_py())} is not a number"
            )
        numbers[header] = [None if number is None else Decimal(number) for number in plain.to_pylist()]
    factor = Decimal(1) if origin.factor is None else origin.factor
    products: list[str | None] = []
    for row in range(batch.cells.num_rows):
        factors = [numbers[header][row] for header in origin.multiply]
        known = [one for one in factors if one is not None]
        less = sum((numbers[header][row] or Decimal(0) for header in origin.minus), Decimal(0))
        products.append(f"{(prod(known) - less) * factor:f}" if len(known) == len(factors) else None)
    return _as_written(pa.array(products, pa.string()), feed), list(faults.values())


def _multiplied(text: pa.Array, factor: Decimal, feed: FeedConfig) -> pa.Array:
    """Numbers times a constant, exactly; what is not a number stays, to be named as that."""
    plain, _ = money(text, _number_options(feed))
    products = [None if number is None else f"{Decimal(number) * factor:f}" for number in plain.to_pylist()]
    return pc.coalesce(_as_written(pa.array(products, pa.string()), feed), text)


def _from_unix(text: pa.Array, unit: str) -> pa.Array:
    """Counts since 1970-01-01 UTC as stamps with an offset; what is no count stays, to be named as that."""
    digits = 18 - len(str(MICROSECONDS[unit]))
    counts = only_matching(text, rf"^-?\d{{1,{digits}}}(\.\d{{1,9}})?$")
    micros = [None if count is None else int(Decimal(count) * MICROSECONDS[unit]) for count in counts.to_pylist()]
    stamps = pc.strftime(pa.array(micros, pa.timestamp("us")), format="%Y-%m-%d %H:%M:%S+00:00")
    return pc.coalesce(stamps, text)


def _later(
    stamps: pa.Array, batch: Batch, plan: Plan, column: Column, origin: ColumnMapping
) -> tuple[pa.Array, list[Fault]]:
    """Times with durations added; NULL where a duration is empty, a fault where it is not a number."""
    faults: list[Fault] = []
    moment = stamps.cast(pa.timestamp("us"))
    for unit, header in origin.plus.items():
        text = _clean(_column(batch, header), plan.feed.options)
        plain = plain_numbers(text, _number_options(plan.feed))
        faults += [
            Fault(
                row, "readable", column.name, f"{column.name}: `{header}` has {_as_found(text[row].as_py())}, no number"
            )
            for row in pc.indices_nonzero(pc.and_(pc.is_valid(text), pc.is_null(plain))).to_pylist()
        ]
        micros = [None if one is None else int(Decimal(one) * MICROSECONDS[unit]) for one in plain.to_pylist()]
        moment = pc.add(moment, pa.array(micros, pa.duration("us")))
    return moment.cast(stamps.type), faults


def _column(batch: Batch, header: str) -> pa.Array:
    if header not in batch.cells.column_names:  # a JSON object may leave out a key
        parent, _, path = header.partition(".")
        if not path or parent not in batch.cells.column_names:
            return pa.nulls(batch.cells.num_rows, pa.string())
        return pa.array(
            [_inside(cell, path.split(".")) for cell in batch.cells.column(parent).to_pylist()], pa.string()
        )
    column = batch.cells.column(header)
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _inside(cell: str | None, path: list[str]) -> str | None:
    """The value at a path in a cell that holds JSON; None where there is none. Lists are counted from 0."""
    try:
        value = json.loads(cell, parse_float=str, parse_int=str) if cell else None
    except ValueError:
        return None
    for name in path:
        if isinstance(value, list):
            value = value[int(name)] if name.isdecimal() and int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _clean(raw: pa.Array, options: FormatOptions) -> pa.Array:
    text = pc.utf8_trim_whitespace(raw)
    is_null = pc.is_in(text, value_set=pa.array(options.null_values, pa.string()))
    return pc.if_else(is_null, pa.scalar(None, pa.string()), text)


def _mapped(raw: pa.Array, mapping: dict[str, str], options: FormatOptions) -> pa.Array:
    if not mapping:
        return _clean(raw, options)
    text = pc.utf8_trim_whitespace(raw)
    position = pc.index_in(text, value_set=pa.array(list(mapping), pa.string()))
    words = [word if word.strip() else None for word in mapping.values()]  # an empty cell is no value, as everywhere
    replaced = pc.take(pa.array(words, pa.string()), position)
    return pc.if_else(pc.is_valid(position), replaced, _clean(raw, options))


def _typed(text: pa.Array, kind: str, feed: FeedConfig) -> pa.Array:
    options = _number_options(feed)
    readers: dict[str, Callable[[pa.Array], pa.Array]] = {
        "text": lambda values: values,
        "decimal": partial(read_decimals, options=options, scale=4),
        "rate": partial(read_decimals, options=options, scale=8),
        "integer": partial(read_integers, options=options),
        "boolean": read_booleans,
        "date": partial(read_dates, date_format=feed.date_format),
        "timestamp": partial(read_timestamps, feed=feed),
    }
    if text.null_count == len(text):
        return pa.nulls(len(text), ARROW_TYPES[SQL_TYPES[kind]])
    return readers[kind](text)


def _number_options(feed: FeedConfig) -> FormatOptions:
    """How numbers are written; a workbook's or a Parquet file's come as numbers, whatever the shop's texts are."""
    return feed.options if feed.format in TEXT_FORMATS else FormatOptions()


def _as_written(numbers: pa.Array, feed: FeedConfig) -> pa.Array:
    return pc.replace_substring(numbers, ".", _number_options(feed).decimal)


def read_decimals(text: pa.Array, options: FormatOptions, scale: int) -> pa.Array:
    """Decimal numbers; see `numbers.decimals`."""
    return decimals(plain_numbers(text, options), scale)


def read_integers(text: pa.Array, options: FormatOptions) -> pa.Array:
    """Whole numbers; `12.0` is one, `12.5` is not."""
    readable = only_matching(plain_numbers(text, options), WHOLE_NUMBER)
    return pc.replace_substring_regex(readable, r"^\+|\.0*$", "").cast(pa.int64())


def read_booleans(text: pa.Array) -> pa.Array:
    """true/false, t/f, yes/no, y/n, 1/0 in any case."""
    lower = pc.utf8_lower(text)
    is_true = pc.is_in(lower, value_set=pa.array(TRUE_WORDS))
    is_false = pc.is_in(lower, value_set=pa.array(FALSE_WORDS))
    return pc.if_else(pc.or_(is_true, is_false), is_true, pa.scalar(None, pa.bool_()))


def read_dates(text: pa.Array, date_format: str | None) -> pa.Array:
    """Calendar dates; a month such as 2017-03 is its first day, and a stamp is the day that it writes."""
    series = _without_words(text.to_pandas())
    series = series.where(~series.str.fullmatch(r"\d{4}-\d{2}", na=False), series + "-01")
    series = series.str.replace(ISO_DAY, r"\1", regex=True)
    parsed = pd.to_datetime(series, format="ISO8601", errors="coerce", utc=True)
    if date_format:
        parsed = pd.to_datetime(series, format=date_format, errors="coerce", utc=True).fillna(parsed)
    return pa.array(parsed.dt.tz_localize(None), pa.timestamp("us"), from_pandas=True).cast(pa.date32())


def read_timestamps(text: pa.Array, feed: FeedConfig) -> pa.Array:
    """UTC time stamps from stamps with an offset, naive stamps, or bare dates (local midnight).

    A stamp is read by the feed's format first, then as ISO 8601. A naive stamp that a clock change makes ambiguous is
    read as the earlier of the two; one that the change skips is moved to the first moment after it.
    """
    series = _without_words(text.to_pandas().astype("str"))
    if pc.any(pc.match_substring_regex(text, "GMT|UTC")).as_py():
        series = series.str.replace(NAMED_OFFSET, _plain_offset, regex=True)
    utc = pd.Series(pd.NaT, index=series.index, dtype="datetime64[us, UTC]")
    todo = series.dropna()
    if feed.date_format:
        by_format = _in_calendar(pd.to_datetime(todo, format=feed.date_format, errors="coerce", utc=True)).dropna()
        if "%z" in feed.date_format:
            utc.loc[by_format.index] = by_format
        else:
            is_date = pd.Series(_has_no_clock(feed.date_format), index=by_format.index)
            utc.loc[by_format.index] = _localized(by_format, is_date, feed)
        todo = todo.drop(by_format.index)
    with_offset = todo.str.contains(WITH_OFFSET, regex=True, na=False)
    if with_offset.any():
        utc.loc[todo.index[with_offset]] = _iso(todo[with_offset])
    naive = todo[~with_offset]
    if len(naive):
        utc.loc[naive.index] = _localized(_iso(naive), naive.str.fullmatch(DATE_ONLY, na=False), feed)
    return pa.array(utc.dt.tz_convert(None), pa.timestamp("us"), from_pandas=True)


def _plain_offset(named: re.Match[str]) -> str:
    """`GMT+3` as ` +03:00`."""
    sign, hours, minutes = named[1] or "+", named[2] or "0", named[3] or "00"
    return f" {sign}{int(hours):02}:{minutes}"


def _iso(stamps: pd.Series) -> pd.Series:
    """Stamps read as ISO 8601; unreadable ones become NaT."""
    upper = stamps.str.replace("z$", "Z", regex=True).str.replace(",", ".", regex=False)
    return _in_calendar(pd.to_datetime(upper, format="ISO8601", errors="coerce", utc=True))


def _in_calendar(stamps: pd.Series) -> pd.Series:
    stamps = stamps.astype("datetime64[us, UTC]")
    first, last = (pd.Timestamp(f"{year}-01-01", tz="UTC") for year in YEARS)
    return stamps.where(stamps.between(first, last))


def _without_words(stamps: pd.Series) -> pd.Series:
    """Stamps without those that hold no digit: pandas takes `now` and `today` for the moment of reading."""
    return stamps.where(stamps.str.contains(r"\d", regex=True, na=False))


def _has_no_clock(date_format: str | None) -> bool:
    return date_format is not None and not re.search("%[HIcXT]", date_format)


def _localized(parsed: pd.Series, is_date: pd.Series, feed: FeedConfig) -> pd.Series:
    wall = parsed.dt.tz_localize(None).astype("datetime64[us]")
    of_day = _to_utc(wall[is_date], feed.zone)
    of_clock = _to_utc(wall[~is_date], feed.naive_zone)
    return pd.concat([of_day, of_clock]).reindex(parsed.index)


def _to_utc(wall: pd.Series, zone: ZoneInfo) -> pd.Series:
    earlier = pd.Series(True, index=wall.index).to_numpy()
    local = wall.dt.tz_localize(zone, ambiguous=earlier, nonexistent="shift_forward")
    return local.dt.tz_convert("UTC").astype("datetime64[us, UTC]")


def local_dates(stamps: pa.Array, zone: ZoneInfo) -> pa.Array:
    """The business date of UTC stamps in the feed's zone."""
    if stamps.null_count == len(stamps):
        return pa.nulls(len(stamps), pa.date32())
    local = pc.local_timestamp(pc.assume_timezone(stamps, "UTC").cast(pa.timestamp("us", str(zone))))
    return pc.floor_temporal(local, unit="day").cast(pa.date32())


def _unreadable(column: Column, text: pa.Array, values: pa.Array, feed: FeedConfig) -> list[Fault]:
    wanted = f" ({feed.date_format})" if feed.date_format and column.type in ("date", "timestamp") else ""
    kind = f"{'an' if column.type == 'integer' else 'a'} {column.type}{wanted}"
    broken = pc.and_(pc.is_valid(text), pc.is_null(values))
    return [
        Fault(
            row,
            "readable",
            column.name,
            f"{column.name}: {_as_found(cell, column)} is not {kind}{_hint(cell, column)}",
        )
        for row, cell in ((row, text[row].as_py()) for row in pc.indices_nonzero(broken).to_pylist())
    ]


def _as_found(cell: str, column: Column | None = None) -> str:
    """A cell in a message: as it is where it can only be a number, else how it is written."""
    is_number = column is None or column.type in NUMBERS
    return f"the cell `{cell}`" if is_number and is_shown(cell) else f"a cell like `{shape(cell)}`"


def _hint(cell: str, column: Column) -> str:
    """What the YAML may want to say of such a cell."""
    if column.type == "timestamp" and cell.isdecimal() and len(cell) in EPOCH_DIGITS:
        return f"; if it counts since 1970, map it with `unix: {EPOCH_DIGITS[len(cell)]}`"
    if column.type in NUMBERS and re.search(r"\d[.,' ]\d{3}(\D|$)", cell):
        return "; if it has marks between thousands, name them in `options: {thousands: ...}`"
    return ""


def _absent(column: Column, text: pa.Array) -> list[Fault]:
    rows = pc.indices_nonzero(pc.is_null(text)).to_pylist() if text.null_count else []
    return [Fault(row, "required", column.name, f"{column.name} is missing") for row in rows]


def _without_person(column: Column, text: pa.Array, key: Key) -> dict[str, pa.Array]:
    landed = {f"has_{column.name}": pc.is_valid(text)}
    if column.personal == "hash":
        landed[f"{column.name}_hash"] = _hashed(text, key)
    return landed


def _hashed(text: pa.Array, key: Key) -> pa.Array:
    return pa.array([value and landed_hash(key, value) for value in text.to_pylist()], pa.string())


def _version(batch: Batch, plan: Plan) -> tuple[pa.Array, list[Fault]]:
    """The row's version time; one that cannot be read makes its row a fault, or an older row would win."""
    if plan.feed.version is None:
        return pa.nulls(batch.cells.num_rows, pa.timestamp("us")), []
    text = _clean(_column(batch, plan.feed.version), plan.feed.options)
    column = Column("version", "timestamp")
    values = _typed(text, column.type, plan.feed)
    return values, _unreadable(column, text, values, plan.feed)


def export_time(day: date | None) -> datetime | None:
    """The version time that a dated file name gives: the beginning of its day."""
    return datetime(day.year, day.month, day.day) if day else None  # noqa: DTZ001 - a label, compared with its like


def _extras(headers: list[str]) -> tuple[dict[str, str], list[str]]:
    extras: dict[str, str] = {}
    dropped: list[str] = []
    for header in headers:
        plain = re.sub(r"\W+", "_", header.strip().lower(), flags=re.UNICODE).strip("_")
        if is_personal(plain):
            dropped.append(header)
            continue
        name = f"x_{plain}"
        while name in extras.values():
            name += "_"
        extras[header] = name
    return extras, dropped


def is_personal(name: str) -> bool:
    """Whether a column has the name of personal data."""
    return bool(PERSONAL_NAME.search(re.sub(r"\W+", "_", name.strip().lower())))


def shape(text: str) -> str:
    """The form of a cell without its content: every letter an `a`, every digit a `9`.

    Enough to see a wrong format or separator, and safe in an alert, also if the column has names by mistake.
    """
    return _shorten("".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in text))


def missing_sentence(column: str, wanted: str, header: list[str]) -> str:
    """That a column is missing, what the file has that comes nearest, and what to do."""
    if is_row(header):
        cells = _shorten(", ".join(shape(name) for name in header), 200)
        return (
            f"the {_named(column, wanted)} is missing, and the first line looks like a row of data (`{cells}`): "
            "deliver the file with its header, or name the columns with `options: {header: false, names: [...]}`"
        )
    near = difflib.get_close_matches(wanted, header, n=1, cutoff=0.5)
    hint = f"; the nearest is `{near[0]}`" if near else f"; the file has: {_shorten(', '.join(header), 200)}"
    remedy = "Ask for the column, or map it under `columns:` in the feed's YAML"
    return f"the {_named(column, wanted)} is missing{hint}. {remedy}"


def _named(column: str, wanted: str) -> str:
    """A column as a sentence names it."""
    return f"column `{wanted}`" if column == wanted else f"column `{wanted}` (the feed's {column})"


def is_row(header: list[str]) -> bool:
    """Whether a header holds what only a row does: an address, a telephone, or a cell that begins with a digit.

    The content of such a line is never shown: it may name a person.
    """
    is_personal_cell = bool(header) and holds_personal_text(pa.array(header, pa.string()))
    return is_personal_cell or any("@" in name or name[:1].isdigit() for name in header)


def _shorten(text: str, length: int = 60) -> str:
    return text if len(text) <= length else f"{text[:length]}..."
