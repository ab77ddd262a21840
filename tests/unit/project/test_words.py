"""Plain words: readers of this project read English as a second or third language."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
SUFFIXES = {".css", ".csv", ".j2", ".js", ".md", ".py", ".sh", ".sql", ".toml", ".yml"}

# A hard word, and what to say instead.
INSTEAD = {
    "alas": "nothing",
    "amid": "in, during",
    "befall": "happen to",
    "behold": "see",
    "be it": "also",
    "became of": "the outcome of",
    "came of": "the result of",
    "dear": "expensive",
    "desk": "the thing itself",
    "everybody": "all customers, all readers",
    "foretell": "predict",
    "foretold": "predicted",
    "hangs on": "depends on",
    "held against": "compared with",
    "hence": "so",
    "lest": "so that ... not",
    "mend": "correct, repair",
    "mended": "corrected, repaired",
    "naught": "nothing, 0",
    "nobody": "no customer, no one; or: it is unknown who",
    "of who": "of customers who",
    "of whom": "two sentences",
    "parted": "split, separated",
    "says nothing of": "does not show",
    "speak of": "are about",
    "speaks of": "is about",
    "stand": "are",
    "stands": "is, is shown, is in",
    "stood": "was",
    "tell": "show, say",
    "tells": "shows, says",
    "told": "given, known, shown, sent",
    "vain": "for nothing",
    "weighed": "weighted, compared",
    "whence": "from where",
    "whoever": "a customer who, everyone who",
    "whom": "who, or two sentences",
}
# Word of mouth is how many people a customer told; the rest are a verdict, a question of a survey, a method of Python.
ALLOWED = re.compile(
    r"people[_ ]told|told_(?:and_referred|answer|count|mean|n|squares|sum)|tells?[_ ](?:22|8|10)\b"
    r"|cannot tell|have you told|file\.tell\(",
    re.IGNORECASE,
)
HARD = re.compile(rf"(?<![a-z])({'|'.join(INSTEAD)})(?![a-z])", re.IGNORECASE)


def hard_words(text: str) -> list[tuple[int, str]]:
    """Line numbers and hard words of a text, without the uses that are allowed."""
    lines = enumerate(text.splitlines(), start=1)
    return [(number, word) for number, line in lines for word in HARD.findall(ALLOWED.sub("", line))]


def test_a_hard_word_is_found_also_in_a_name_and_an_allowed_use_is_not() -> None:
    text = "Whom it concerns\ntold_mean: people told\n_tells(it) cannot tell\na stool, a standard, a teller"
    assert hard_words(text) == [(1, "Whom"), (3, "tells")]


def test_the_words_of_the_project_are_plain() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    files = [ROOT / name for name in listed.stdout.split("\0") if Path(name).suffix in SUFFIXES]
    assert len(files) > 1000
    wrong = [
        f"{file.relative_to(ROOT)}:{number}: `{word}`; say: {INSTEAD[word.lower()]}"
        for file in files
        if file.is_file() and file != Path(__file__)
        for number, word in hard_words(file.read_text(encoding="utf-8", errors="replace"))
    ]
    assert wrong == [], "\n".join(wrong)
