"""The feed registry: one YAML file in `dags/feeds/` describes one export of one source."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from loyalty.common import strict_yaml
from loyalty.common.errors import UserError, as_found, nearest, yaml_fault
from loyalty.common.settings import LONGEST_DAYS
from loyalty.pull.contract import PERSON_COLUMNS, CanonicalFeed, load_contract
from loyalty.pull.patterns import wrong_pattern
from loyalty.pull.questions import no_question

# Raised when an adapter reads the same bytes differently than before, so that loads are made again.
ADAPTER_VERSION = 2
DATE_PLACEHOLDER = "{date}"
POSITION = "_position"  # as an origin: the number of the row in its record
FEED_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _constant(value: Any) -> Any:
    """A constant as text: YAML reads 1, 2.50, 2026-05-01 and true as something else."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float, date)) else value


def _exact(value: Any) -> Any:
    """A factor as it is written: 0.01 is a hundredth, not the nearest binary number."""
    return str(value) if isinstance(value, float) else value


class ColumnMapping(_Model):
    """Where a canonical column comes from, and what is done to its cells, in this order.

    The origin is one of: a header of the export (`from`), a constant (`value`), a product of cells (`multiply`, less
    `minus`), several cells put together (`join`). `from` also takes the line's number (`_line`) and the row's number
    in its record (`_position`). Then `pattern` takes a part of the cell, `map` replaces whole cells, `unix` reads a
    count since 1970, `factor` multiplies a number, `plus` adds durations to a time. With `hash`, an address lands as
    its keyed hash, which is the customer's id.
    """

    source: str | None = Field(default=None, alias="from")
    value: Annotated[str | None, BeforeValidator(_constant)] = None
    map: dict[str, str] = Field(default_factory=dict)
    pattern: str | None = None
    multiply: list[str] = Field(default_factory=list)
    minus: list[str] = Field(default_factory=list)
    join: list[str] = Field(default_factory=list)
    separator: str | None = None
    factor: Annotated[Decimal | None, BeforeValidator(_exact)] = None
    unix: Literal["seconds", "milliseconds", "microseconds"] | None = None
    plus: dict[Literal["seconds", "minutes", "hours", "days"], str] = Field(default_factory=dict)
    hash: bool = False

    @field_validator("pattern")
    @classmethod
    def _valid_pattern(cls, pattern: str | None) -> str | None:
        return _regular_expression(pattern)

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnMapping:
        if sum((self.source is not None, self.value is not None, bool(self.multiply), bool(self.join))) != 1:
            raise ValueError(
                "give one of `from` (a header of the export), `value` (a constant), `multiply` (a list of headers) and "
                "`join` (a list of headers)"
            )
        if (self.map or self.pattern) and self.source is None and not self.join:
            raise ValueError("`map` and `pattern` go with `from` or `join`")
        if (self.unix or self.plus) and self.source is None and not self.join:
            raise ValueError("`unix` and `plus` go with `from` or `join`")
        if self.minus and not self.multiply:
            raise ValueError("`minus` goes with `multiply`")
        if self.separator is not None and not self.join:
            raise ValueError("`separator` goes with `join`")
        if self.factor is not None and self.value is not None:
            raise ValueError("`factor` goes with `from` or `multiply`; write the product as the value")
        if self.factor == 0:
            raise ValueError("`factor` is zero, so every amount would be zero")
        if self.hash and (self.source is None or self.map or self.pattern):
            raise ValueError("`hash` goes with `from` alone")
        return self

    @property
    def headers(self) -> list[str]:
        """The headers of the export that it reads."""
        return [
            *([] if self.source is None else [self.source]),
            *self.multiply,
            *self.minus,
            *self.join,
            *self.plus.values(),
        ]


class FormatOptions(_Model):
    """How the file is written. Every option has the default of a plain UTF-8 CSV."""

    delimiter: str = Field(default=",", min_length=1, max_length=1, pattern=r'[^"\r\n]')
    quote: str = Field(default='"', max_length=1)
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""
    header: bool = True
    header_rows: int = Field(default=1, ge=1, le=5)
    skip_lines: int = Field(default=0, ge=0)
    skip_after_header: int = Field(default=0, ge=0)
    names: list[str] = Field(default_factory=list)
    widths: list[Annotated[int, Field(gt=0)]] = Field(default_factory=list)
    sheet: str | None = None
    trailer: str | None = None
    footer: str | None = None
    null_values: list[str] = Field(default_factory=lambda: [""])

    @model_validator(mode="after")
    def _different_separators(self) -> FormatOptions:
        if self.decimal == self.thousands:
            raise ValueError("thousands: it must differ from `decimal`")
        if self.trailer and self.footer:
            raise ValueError("footer: a file has a `trailer` (a total line that is checked) or a `footer`")
        if self.quote == self.delimiter or self.quote in ("\r", "\n"):
            raise ValueError("quote: it must be another character than `delimiter`, and no line end")
        if not self.header and not self.names:
            raise ValueError("names: a file without a header needs the names of its columns")
        return self

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
        except LookupError:
            raise ValueError("no such encoding; examples: utf-8, utf-16, gb18030, big5, cp1252") from None
        return encoding

    @field_validator("trailer", "footer")
    @classmethod
    def _valid_pattern(cls, pattern: str | None) -> str | None:
        return _regular_expression(pattern, only_named=True)


class Unpivot(_Model):
    """Columns that become rows: one row for each filled cell, its header in `name` and its content in `value`."""

    columns: list[str] = Field(min_length=1)
    name: str
    value: str


class Split(_Model):
    """A column whose cells are lists: one row for each item. `position` names a column with the item's number."""

    column: str
    by: str = Field(min_length=1)
    position: str | None = None


class RowOptions(_Model):
    """How the lines of an export become rows, where one line is not one record; applied in this order."""

    keep: dict[str, list[str]] = Field(default_factory=dict)
    leave_out: dict[str, list[str]] = Field(default_factory=dict)
    record: str | None = None
    fill_down: list[str] = Field(default_factory=list)
    sum: list[str] = Field(default_factory=list)
    first_only: bool = False
    unpivot: Unpivot | None = None
    split: Split | None = None

    @model_validator(mode="after")
    def _consistent(self) -> RowOptions:
        if (self.first_only or self.sum) and self.record is None:
            key = "first_only" if self.first_only else "sum"
            raise ValueError(f"{key}: it needs `record`, the column whose value the lines of a record share")
        if self.sum and not self.first_only:
            raise ValueError("sum: it needs `first_only`, or each line of the record would bring the whole sum")
        if both := [header for header in self.keep if {*self.keep[header]} & {*self.leave_out.get(header, [])}]:
            raise ValueError(f"keep: a word of `{both[0]}` is in `leave_out` too")
        return self

    @property
    def headers(self) -> list[str]:
        """The headers of the export that it reads, but for the patterns of `unpivot`."""
        return [*self.keep, *self.leave_out, *([self.record] if self.record else []), *self.fill_down, *self.sum]


class HttpSource(_Model):
    """An export fetched by HTTP GET; the Airflow connection gives host, login and password."""

    endpoint: str
    connection: str

    @field_validator("endpoint")
    @classmethod
    def _path_of_the_host(cls, endpoint: str) -> str:
        # `@host/x` or `.host/x` behind the connection's host would be another host, and get its login
        if not re.match(r"/(?![/\\])", endpoint) or re.search(r"[\s\\\x00-\x1f]", endpoint):
            raise ValueError("a path on the connection's host that begins with one `/`, such as /export/orders.csv")
        return endpoint

    @property
    def address(self) -> str:
        """The endpoint as it is logged and recorded: a query string may hold a token."""
        return self.endpoint.partition("?")[0]


class SqlSource(_Model):
    """An export that is the result of a query; the Airflow connection gives the database."""

    query: str
    connection: str

    @field_validator("query")
    @classmethod
    def _one_question(cls, query: str) -> str:
        if why := no_question(query):
            raise ValueError(f"one SELECT is expected; {why}")
        return query


def _regular_expression(pattern: str | None, only_named: bool = False) -> str | None:
    if pattern is not None and (why := wrong_pattern(pattern, only_named)):
        raise ValueError(f"not a regular expression: {why}")
    return pattern


def _as_mapping(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, date, list)):
        raise ValueError(
            "a header of the export is expected, in quotes where it is a number, or {from: ...}, {value: ...}"
        )
    return {"from": value} if isinstance(value, str) else value


@cache
def time_zones() -> frozenset[str]:
    """The names of all IANA time zones; finding them reads hundreds of files."""
    return frozenset(available_timezones())


class FeedConfig(_Model):
    """One export of one source, as its YAML declares it; `canonical_name` is the YAML's key `feed`."""

    model_config = ConfigDict(populate_by_name=False)

    name: str
    canonical_name: str = Field(alias="feed")
    source: str
    group: Literal["orders", "crm", "surveys"]
    owner: str
    description: str
    path: str | None = None
    http: HttpSource | None = None
    sql: SqlSource | None = None
    format: Literal["csv", "fixed_width", "xlsx", "parquet", "jsonl"] = "csv"
    options: FormatOptions = FormatOptions()
    rows: RowOptions | None = None
    time_zone: str
    timestamps_in: str | None = None
    date_format: str | None = None
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")
    columns: dict[str, Annotated[ColumnMapping, BeforeValidator(_as_mapping)]] = Field(default_factory=dict)
    keep_columns: list[str] = Field(default_factory=list)
    version: str | None = None
    snapshot: Literal["full"] | None = None
    max_quarantine_rate: float = Field(default=0.05, ge=0, le=1)
    max_age_days: float | None = Field(default=None, gt=0, le=LONGEST_DAYS)
    runbook: str | None = None

    @field_validator("canonical_name")
    @classmethod
    def _known_feed(cls, feed: str) -> str:
        if feed not in load_contract():
            raise ValueError(f"no such canonical feed{nearest(feed, load_contract())}")
        return feed

    @field_validator("time_zone", "timestamps_in")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        if zone is not None and zone not in time_zones():
            raise ValueError(f"no such IANA time zone{nearest(zone, time_zones())}")
        return zone

    @field_validator("date_format")
    @classmethod
    def _usable_format(cls, date_format: str | None) -> str | None:
        if date_format is not None:
            if "%" not in date_format:
                raise ValueError("not a date format: it gives the places of year, month and day, such as %d.%m.%Y")
            try:
                datetime.strptime("", date_format)  # noqa: DTZ007 - only the format is looked at
            except ValueError as error:
                if "does not match" not in str(error):
                    raise ValueError(f"not a date format: {error}") from None
            if ("%p" in date_format) != ("%I" in date_format):
                raise ValueError("%I (hours to 12) and %p (AM, PM) go together; %H is for hours to 24, without %p")
        return date_format

    @field_validator("source")
    @classmethod
    def _plain_source(cls, source: str) -> str:
        if not FEED_NAME.fullmatch(source):
            raise ValueError("lower-case letters, digits and underscores, beginning with a letter")
        return source

    @model_validator(mode="after")
    def _consistent(self) -> FeedConfig:
        unknown = [column for column in self.columns if column not in self.canonical.columns]
        if unknown:
            raise ValueError(
                f"columns.{unknown[0]}: the feed `{self.canonical_name}` has no such column"
                f"{nearest(unknown[0], self.canonical.columns)}; what is not named there is kept as x_*"
            )
        for column, origin in self.columns.items():
            kind = self.canonical.columns[column].type
            if origin.factor is not None and kind not in ("decimal", "rate", "integer"):
                raise ValueError(f"columns.{column}: `factor` is for numbers, and this column is a {kind}")
            if (origin.unix or origin.plus) and kind not in ("timestamp", "date"):
                key = "unix" if origin.unix else "plus"
                raise ValueError(f"columns.{column}: `{key}` is for times, and this column is a {kind}")
        for column in self.hashed_ids:
            if column not in PERSON_COLUMNS:
                raise ValueError(f"columns.{column}: `hash` is for a customer's id ({', '.join(PERSON_COLUMNS)})")
        for column, origin in self.columns.items():
            is_hidden = origin.hash or self.canonical.columns[column].personal
            if not is_hidden and self.hashed_headers & {*origin.headers}:
                raise ValueError(f"columns.{column}: what another column hashes would land here as it is")
        if sum(origin is not None for origin in (self.path, self.http, self.sql)) != 1:
            raise ValueError("path: give exactly one of `path`, `http` and `sql`")
        if self.format == "fixed_width" and len(self.options.widths) < 2:
            raise ValueError("options.widths: a fixed_width file needs the widths of its columns")
        if self.options.trailer and self.format != "csv":
            raise ValueError("options.trailer: only a csv file can have a total line")
        if self.options.trailer and self.rows:
            raise ValueError("options.trailer: a total line counts lines, which `rows` changes; use options.footer")
        if self.options.footer and self.format not in ("csv", "xlsx"):
            raise ValueError("options.footer: only csv and xlsx files have one")
        if self.needs_position and self.rows is None:
            raise ValueError(f"columns: `{POSITION}` counts the rows of a record and needs `rows`; see docs/feeds.md")
        if self.path and (self.path.count(DATE_PLACEHOLDER) > 1 or DATE_PLACEHOLDER in str(Path(self.path).parent)):
            raise ValueError("path: `{date}` is allowed once, in the file's name")
        if self.options.widths and len(self.options.widths) != len(self.options.names):
            raise ValueError("options.names: as many names as there are widths")
        return self

    @property
    def canonical(self) -> CanonicalFeed:
        """The canonical feed this export becomes."""
        return load_contract()[self.canonical_name]

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the business dates."""
        return ZoneInfo(self.time_zone)

    @property
    def naive_zone(self) -> ZoneInfo:
        """The zone of time stamps that do not name one."""
        return ZoneInfo(self.timestamps_in or self.time_zone)

    @property
    def is_dated(self) -> bool:
        """Whether the file's name carries the export's date."""
        return self.path is not None and DATE_PLACEHOLDER in self.path

    @property
    def needs_position(self) -> bool:
        """Whether a column is the number of the row in its record."""
        return any(origin.source == POSITION for origin in self.columns.values())

    @property
    def hashed_ids(self) -> list[str]:
        """The columns that land as keyed hashes of what the export has."""
        return [name for name, origin in self.columns.items() if origin.hash]

    @property
    def hashed_headers(self) -> set[str]:
        """The headers of the export whose cells land as keyed hashes alone."""
        return {header for name in self.hashed_ids for header in self.columns[name].headers}

    @property
    def is_ragged(self) -> bool:
        """Whether the rows of one file may differ in their columns, as JSON objects do."""
        return self.format == "jsonl"

    @property
    def mapping_id(self) -> str:
        """A hash of all that decides what the bytes of a file become; part of every load_id.

        Keys that are not used leave no trace in it, so that a new key does not make loads again.
        """
        meaning = self.model_dump(
            mode="json",
            exclude_defaults=True,
            include={
                "name",
                "canonical_name",
                "source",
                "format",
                "options",
                "time_zone",
                "timestamps_in",
                "date_format",
            }
            | {"rows", "currency", "columns", "keep_columns", "version", "snapshot"},
        )
        meaning["feed"] = meaning.pop("canonical_name")
        text = json.dumps([meaning, ADAPTER_VERSION, self.canonical.schema_version], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def date_pattern(self) -> re.Pattern[str]:
        """Matches a file name of this feed and captures the export's date."""
        name = Path(self.path or "").name
        pattern = "".join(
            {"*": "[^/]*", "?": "[^/]"}.get(
                part, r"(?P<date>\d{4}-\d{2}-\d{2})" if part == DATE_PLACEHOLDER else re.escape(part)
            )
            for part in re.split(r"(\{date\}|\*|\?)", name)
        )
        return re.compile(pattern)

    def export_date(self, file_name: str) -> date | None:
        """The date in a file's name, where the feed's path has `{date}`."""
        found = self.date_pattern().fullmatch(file_name) if self.is_dated else None
        try:
            return date.fromisoformat(found["date"]) if found else None
        except ValueError:
            return None


@dataclass(frozen=True)
class BrokenFeed:
    """A YAML that cannot be used; only its own feed is disabled."""

    name: str
    group: str
    owner: str
    message: str


def load_feeds(folder: Path) -> dict[str, FeedConfig | BrokenFeed]:
    """Every feed of the folder by name; a wrong YAML becomes a BrokenFeed with one clear sentence."""
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder of feed YAMLs; see LOYALTY_FEEDS or `loyalty init`.")
    try:
        next(folder.iterdir(), None)  # a pattern finds nothing, without an error, in a folder that may not be read
    except OSError as error:
        raise UserError(f"{folder} cannot be read ({error.strerror}): no feed is known without it.") from None
    files = [file for file in sorted(folder.glob("*.yml")) if not file.name.startswith(".")]
    misnamed = [file for file in sorted(folder.glob("*.yaml")) if not file.name.startswith(".")]
    return {file.stem: read_feed(file) for file in files} | {f"{file.stem}_yaml": _misnamed(file) for file in misnamed}


def _misnamed(file: Path) -> BrokenFeed:
    """A feed whose file ends in .yaml: named, so that it is not left out silently."""
    message = f"Feed `{file.stem}` is disabled: {file.name} must be called {file.stem}.yml."
    return BrokenFeed(f"{file.stem}_yaml", "orders", "data-engineering", message)


def usable_feeds(folder: Path) -> dict[str, FeedConfig]:
    """The feeds without the broken ones."""
    return {name: feed for name, feed in load_feeds(folder).items() if isinstance(feed, FeedConfig)}


def get_feed(folder: Path, name: str) -> FeedConfig:
    """One feed by its YAML's name; UserError when there is none or its YAML is wrong."""
    feeds = load_feeds(folder)
    if name not in feeds:
        raise UserError(f"There is no feed `{name}` in {folder}{nearest(name, feeds)}.")
    feed = feeds[name]
    if isinstance(feed, BrokenFeed):
        raise UserError(feed.message)
    return feed


def read_feed(file: Path) -> FeedConfig | BrokenFeed:
    """One YAML, read and checked."""
    group, owner, where = "orders", "data-engineering", file.name
    try:
        if not FEED_NAME.fullmatch(file.stem):
            raise UserError("a feed's file name has lower-case letters, digits and underscores only")
        text = file.read_text(encoding="utf-8")
        declared = strict_yaml.load(text)
        if not isinstance(declared, dict) or not all(isinstance(key, str) for key in declared):
            raise UserError("it must hold `key: value` lines, such as `feed: orders`")
        if "name" in declared:
            raise UserError("there is no key `name`; the file's name is the feed's name")
        group = declared["group"] if declared.get("group") in ("orders", "crm", "surveys") else group
        owner = str(declared.get("owner", owner))
        return FeedConfig(name=file.stem, **declared)
    except ValidationError as error:
        message = _sentence(error)
        line = strict_yaml.line_of(text, _first(error)["loc"])
        where = f"{file.name}, line {line}" if line else file.name
    except OSError as error:
        message = f"it cannot be read ({error.strerror})"
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        message = f"it cannot be read as YAML: {yaml_fault(error)}"
    except (UserError, TypeError) as error:
        message = str(error)
    return BrokenFeed(file.stem, group, owner, f"Feed `{file.stem}` is disabled, {where}: {message}.")


# The expected value, in the language of YAML.
EXPECTED = {
    "dict_type": "`key: value` lines are expected",
    "model_type": "`key: value` lines are expected",
    "list_type": "a list is expected, such as [a, b]",
    "string_type": "a text is expected; quotes make one of a number, a date or a word such as no",
    "bool_parsing": "true or false is expected",
    "int_parsing": "a whole number is expected",
    "int_from_float": "a whole number is expected",
    "float_parsing": "a number is expected",
}
TEXT_EXPECTED = {
    "currency": "three capital letters are expected, such as CHF",
    "options.delimiter": "one character is expected, and neither a quote nor a line end",
}


def _first(error: ValidationError) -> Any:
    """The fault to name: a key that does not exist comes first, since it is why another one is missing."""
    return min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")


def _sentence(error: ValidationError) -> str:
    first = _first(error)
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"the key `{key}` is missing"
    if first["type"] == "extra_forbidden":
        parts: dict[str, type[_Model]] = {"options": FormatOptions, "rows": RowOptions, "columns": ColumnMapping}
        model = parts.get(str(first["loc"][0]), FeedConfig) if len(first["loc"]) > 1 else FeedConfig
        names = [field.alias or name for name, field in model.model_fields.items()]
        return f"there is no key `{key}`{nearest(key.rpartition('.')[2], names)}"
    expected = EXPECTED.get(first["type"], first["msg"].removeprefix("Value error, "))
    if first["type"] in ("string_pattern_mismatch", "string_too_short", "string_too_long"):
        expected = TEXT_EXPECTED.get(key, expected)
    return f"key `{key}`: {expected}{as_found(first['input'])}" if key else expected
