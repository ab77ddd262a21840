"""Regular expressions on cells, in the engine RE2: its time grows with the text alone, so no pattern can hang a run.

RE2 has no look-around and no back references; https://github.com/google/re2/wiki/Syntax lists what it has. pyarrow and
DuckDB both carry it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def wrong_pattern(pattern: str, only_named: bool = False) -> str:
    """Why a text is no regular expression of ours; empty when it is one. `only_named`: each group needs a name."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array([""]), pattern)
        if only_named and "(?P<" in pattern:
            pc.extract_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        if "unnamed groups" in str(error):
            return "give each group a name, (?P<rows>...), or write (?:...)"
        return f"{str(error).removeprefix('Invalid regular expression: ')}; look-around and \\1 are not possible"
    return ""


def is_found(texts: pa.Array, pattern: str) -> pa.Array:
    """Which texts the pattern is found in."""
    import pyarrow.compute as pc

    return pc.match_substring_regex(texts, pattern)


def first_group(texts: pa.Array, pattern: str) -> pa.Array:
    """What the pattern's first group finds, without a group the whole pattern; NULL where that is nothing."""
    import duckdb
    import pyarrow as pa

    with duckdb.connect() as connection:
        connection.register("cells", pa.table({"place": range(len(texts)), "cell": texts}))
        group = int(_has_group(connection, pattern))
        found = connection.execute(
            f"select nullif(regexp_extract(cell, $1, {group}), '') from cells order by place", [pattern]
        ).fetch_arrow_table()
    return found.column(0).combine_chunks().cast(pa.string())


def _has_group(connection: duckdb.DuckDBPyConnection, pattern: str) -> bool:
    import duckdb

    try:
        connection.execute("select regexp_extract('', $1, ['first'])", [pattern])
    except duckdb.BinderException:  # fewer groups than names
        return False
    return True


def named_groups(text: str, pattern: str) -> dict[str, str] | None:
    """The named groups of a pattern that is found in the text; None where it is not found."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not is_found(pa.array([text]), pattern)[0].as_py():
        return None
    return pc.extract_regex(pa.array([text]), pattern)[0].as_py() if "(?P<" in pattern else {}
