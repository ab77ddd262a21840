"""What people did since the generation before that can change figures, in sentences of both languages.

Publishing works the items out (`loyalty.publish.handled`) and keeps them in the manifest. A sentence for each kind is
here; its Chinese is in `words_zh.yml`, as that of every text.
"""

from __future__ import annotations

from typing import Any

from loyalty.publish.generations import Generation
from loyalty.read.words import Words

HEADING = "Done since the generation before"
SENTENCES = {
    "released": "{rows} of {feed} released from quarantine",
    "corrected": "{rows} of {feed} corrected by hand and released from quarantine",
    "withdrawn": "{loads} of {feed} withdrawn",
    "brought_back": "withdrawal of {loads} of {feed} undone",
    "read_again": "{loads} of {feed} read again with another mapping",
    "restated": "{loads} of {feed} delivered late or corrected",
    "forgotten": "{people} forgotten, {loads} written again",
    "redacted": "{loads} written again without people who were forgotten before",
    "key_rotated": "the key was rotated, {loads} written again: a customer whose id is a hash has another id",
    "rolled_back": "generation {generation} shown instead of generation {instead_of} by a rollback",
    "setting": "setting {name} changed from {before} to {now}",
    "code": "the models or the code changed",
    "as_of": "figures computed as of {day}, as was asked for",
}
COUNTED = {"rows": "row", "loads": "load", "people": "person"}
MOST_NAMES = 3


def sentences(manifest: dict[str, Any], words: Words) -> list[str] | None:
    """One sentence for each thing that was done; None where the manifest does not say it."""
    items = manifest.get("handled")
    return None if items is None else [sentence(item, words) for item in items]


def done_since(generation: Generation) -> list[str]:
    """The same in English as lines for a log, each with its heading; none where it is not known."""
    return [f"{HEADING.lower()}: {sentence}" for sentence in sentences(generation.manifest, Words("en")) or []]


def nothing_delivered(done: list[str] | None) -> str:
    """What is said where no file was delivered, in English; what was `done` beside it is shown below."""
    if done is None:  # a generation of an older version
        return (
            "No file was delivered since then. Rows released, loads withdrawn and people forgotten can change figures."
        )
    if done:
        return "No file was delivered since then."
    return "No file was delivered since then, and nothing else was done that changes figures."


def sentence(item: dict[str, Any], words: Words) -> str:
    """`3 rows of orders released from quarantine (file orders_2026-04-30.csv, rule solved_after_opened)`."""
    counts = {name: words.counted(item[name], noun) for name, noun in COUNTED.items() if name in item}
    values = {name: words.sentence("the default") if value is None else value for name, value in item.items()}
    done = words.sentence(SENTENCES[item["kind"]]).format(**values | counts)
    details = [counts["rows"]] if "loads" in counts and "rows" in counts else []
    details += [_named(item["files"], "file", "files", words)] if item.get("files") else []
    details += [_named(item["rules"], "rule", "rules", words)] if item.get("rules") else []
    return words.sentence("{0} ({1})").format(done, ", ".join(details)) if details else done


def _named(names: list[str], one: str, many: str, words: Words) -> str:
    """Names under the word for them, the first ones of many."""
    shown = ", ".join(names[:MOST_NAMES])
    if len(names) > MOST_NAMES:
        shown = words.sentence("{0} and {1} more").format(shown, len(names) - MOST_NAMES)
    return f"{words.sentence(one if len(names) == 1 else many)} {shown}"
