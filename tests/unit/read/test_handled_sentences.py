"""What people did is said in both languages, and an old manifest is read without it."""

from __future__ import annotations

import re

import pytest

from loyalty.read.handled_sentences import SENTENCES, nothing_delivered, sentence, sentences
from loyalty.read.words import LANGUAGES, Words

RELEASED = {
    "kind": "released",
    "feed": "orders",
    "rows": 3,
    "files": ["orders_2026-04-30.csv"],
    "rules": ["solved_after_opened"],
}
WITHDRAWN = {"kind": "withdrawn", "feed": "orders", "loads": 1, "rows": 1_200, "files": ["a.csv"]}


def test_rows_released_are_named_with_file_and_rule() -> None:
    english = "3 rows of orders released from quarantine (file orders_2026-04-30.csv, rule solved_after_opened)"
    assert sentence(RELEASED, Words("en")) == english
    chinese = sentence(RELEASED, Words("zh"))
    assert chinese.startswith("orders 有 3 行解除隔离")
    assert "文件 orders_2026-04-30.csv, 规则 solved_after_opened" in chinese


def test_one_is_one_and_of_many_files_the_first_are_named() -> None:
    assert sentence(WITHDRAWN, Words("en")) == "1 load of orders withdrawn (1,200 rows, file a.csv)"
    many = WITHDRAWN | {"loads": 5, "rows": 1, "files": ["a.csv", "b.csv", "c.csv", "d.csv", "e.csv"]}
    end = "5 loads of orders withdrawn (1 row, files a.csv, b.csv, c.csv and 2 more)"
    assert sentence(many, Words("en")) == end


def test_a_setting_without_a_value_is_the_default() -> None:
    item = {"kind": "setting", "name": "churn_days", "before": None, "now": 90}
    assert sentence(item, Words("en")) == "setting churn_days changed from the default to 90"


@pytest.mark.parametrize("kind", SENTENCES)
def test_every_sentence_says_the_same_numbers_in_chinese(kind: str) -> None:
    english = re.findall(r"{(\w+)}", SENTENCES[kind])
    assert sorted(re.findall(r"{(\w+)}", Words("zh").sentence(SENTENCES[kind]))) == sorted(english)


def test_a_manifest_of_an_older_version_does_not_say_what_was_done() -> None:
    assert sentences({}, Words("en")) is None
    assert sentences({"handled": None}, Words("en")) is None
    assert sentences({"handled": []}, Words("en")) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_no_file_came_is_said_according_to_what_is_known(language: str) -> None:
    said = {Words(language).sentence(nothing_delivered(done)) for done in (None, [], ["1 load withdrawn"])}
    assert len(said) == 3
