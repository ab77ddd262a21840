"""What people did between two builds is in the ledger, and publishing finds it there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loyalty.common.ledger import Event, Ledger
from loyalty.publish.generations import Generation
from loyalty.publish.handled import handled
from loyalty.read.handled_sentences import SENTENCES

FIRST = Generation(1, Path("000001"), {"build_id": "first"}, is_current=True)


class Story:
    """A ledger that a test writes: files, builds, and what people do between them."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger(folder)

    def deliver(self, load_id: str, day: str | None, **data: Any) -> Event:
        given = {
            "feed": "orders",
            "source": "shop",
            "uri": f"file:///{load_id}.csv",
            "file": f"{load_id}.csv",
            "version_at": day,
            "row_count": 10,
            "quarantined_count": 3,
        }
        return self.ledger.deliver(feed_name="web", load_id=load_id, **(given | data))

    def release(self, load_id: str, of: str, **data: Any) -> None:
        given = {"feed_name": "web", "feed": "orders", "source": "shop", "uri": "", "file": f"{of}.csv"}
        given |= {"outcome": "accepted", "quarantined_count": 0, "row_count": 2, "rules": ["sane"], "lines": [2, 3]}
        self.ledger.append("release", load_id=load_id, released_from=of, **(given | data))

    def build(self, build_id: str, **data: Any) -> None:
        given = {"code_version": "1", "as_of": "2026-05-02", "is_as_of_given": False, "chosen": {}}
        self.ledger.append("build", build_id=build_id, ledger_seq=self.ledger.last_seq(), **(given | data))

    def publish(self, build_id: str, generation: int) -> None:
        self.ledger.append("publish", build_id=build_id, generation=generation, outcome="published")

    def handled(self, before: Generation | None = FIRST) -> list[dict[str, Any]] | None:
        """What was done between the build `first` and a build now."""
        self.build("now")
        return handled(self.ledger, "now", before)


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """Two days are published as generation 1."""
    story = Story(tmp_path / "ledger")
    story.deliver("a", "2026-05-01")
    story.deliver("b", "2026-05-02")
    story.build("first")
    story.publish("first", 1)
    return story


def test_a_new_day_is_delivered_and_nothing_was_done(story: Story) -> None:
    story.deliver("c", "2026-05-03")
    assert story.handled() == []


def test_rows_released_are_counted_by_feed_and_rule_with_their_files(story: Story) -> None:
    story.release("r1", "a")
    story.release("r2", "b")
    story.release("r3", "b", is_corrected=True, row_count=1)
    released = {"kind": "released", "feed": "web", "rows": 4, "files": ["a.csv", "b.csv"], "rules": ["sane"]}
    corrected = {"kind": "corrected", "feed": "web", "rows": 1, "files": ["b.csv"], "rules": ["sane"]}
    assert story.handled() == [released, corrected]


def test_a_load_is_withdrawn_with_what_was_released_from_it(story: Story) -> None:
    story.release("r1", "b")
    story.build("first")
    story.ledger.withdraw("b")
    (item,) = story.handled() or []
    assert item == {"kind": "withdrawn", "feed": "web", "loads": 2, "rows": 12, "files": ["b.csv"]}


def test_a_withdrawal_that_was_undone_changes_nothing_and_a_later_undo_does(story: Story) -> None:
    story.ledger.withdraw("b")
    story.ledger.withdraw("b", undo=True)
    story.ledger.withdraw("a")
    assert [(item["kind"], item["files"]) for item in story.handled() or []] == [("withdrawn", ["a.csv"])]
    story.build("first")
    story.ledger.withdraw("a", undo=True)
    assert [(item["kind"], item["files"]) for item in story.handled() or []] == [("brought_back", ["a.csv"])]


def test_a_file_for_a_day_that_was_published_is_late_or_a_correction(story: Story) -> None:
    story.deliver("late", "2026-05-01")
    story.deliver("c", "2026-05-03")
    story.deliver("c2", "2026-05-03")
    story.deliver("undated", None)
    assert [(item["kind"], item["files"]) for item in story.handled() or []] == [("restated", ["late.csv"])]


def test_what_is_read_again_with_another_mapping_is_no_late_file(story: Story) -> None:
    story.deliver("a2", "2026-05-01", supersedes=["a"])
    assert [(item["kind"], item["loads"]) for item in story.handled() or []] == [("read_again", 1)]


def test_a_person_is_counted_once_though_the_step_was_killed_and_run_again(story: Story) -> None:
    story.ledger.append("forget", rewritten={"a": "a1", "b": "b1"}, receipt="x", forgotten_count=3)
    story.ledger.append("forget", rewritten={}, receipt="y", forgotten_count=3)
    assert story.handled() == [{"kind": "forgotten", "people": 1, "loads": 2}]


def test_a_load_that_was_written_again_is_still_the_one_that_was_withdrawn(story: Story) -> None:
    story.ledger.withdraw("b")
    story.ledger.append("rekey", rewritten={"a": "a1", "b": "b1"}, keys=2)
    kinds = {item["kind"]: item for item in story.handled() or []}
    assert kinds["withdrawn"]["files"] == ["b.csv"]
    assert kinds["key_rotated"] == {"kind": "key_rotated", "loads": 2}


def test_after_a_rollback_the_generation_that_was_shown_is_compared_with(story: Story) -> None:
    """Generation 2 was wrong; a load is withdrawn, and generation 3 follows generation 1."""
    story.deliver("c", "2026-05-03")
    story.build("second")
    story.publish("second", 2)
    story.ledger.append("rollback", generation=1, from_generation=2, build_id="first", rolled_back=["second"])
    story.ledger.withdraw("c")
    story.ledger.append("resume")
    assert [item["kind"] for item in story.handled() or []] == ["withdrawn", "rolled_back"]
    story.publish("now", 3)
    third = Generation(3, Path("000003"), {"build_id": "now"}, is_current=True)
    story.build("fourth")
    assert handled(story.ledger, "fourth", third) == []


def test_what_comes_after_the_build_has_begun_is_for_the_next_generation(story: Story) -> None:
    story.build("now")
    story.ledger.withdraw("b")
    assert handled(story.ledger, "now", FIRST) == []


@pytest.mark.parametrize("before", [None, Generation(1, Path("000001"), {"build_id": "unknown"})])
def test_without_a_known_build_before_it_is_not_known_what_was_done(story: Story, before: Generation | None) -> None:
    assert story.handled(before) is None


def test_every_kind_has_a_sentence_and_every_sentence_a_kind(story: Story) -> None:
    story.ledger.withdraw("a")
    story.build("first")
    story.release("r1", "b")
    story.release("r2", "b", is_corrected=True)
    story.ledger.withdraw("b")
    story.ledger.withdraw("a", undo=True)
    story.deliver("b2", "2026-05-02", supersedes=["unknown"])
    story.deliver("late", "2026-05-01")
    story.ledger.append("forget", rewritten={"a": "a1"}, receipt="x")
    story.ledger.append("forget", rewritten={"a1": "a2"}, receipt="")
    story.ledger.append("rekey", rewritten={"a2": "a3"}, keys=2)
    story.ledger.append("rollback", generation=1, from_generation=2)
    story.build("now", code_version="2", chosen={"churn_days": 90}, as_of="2026-04-30", is_as_of_given=True)
    assert {item["kind"] for item in handled(story.ledger, "now", FIRST) or []} == set(SENTENCES)
