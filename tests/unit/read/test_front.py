"""Who opens the report learns whether publishing is held, and that a newer generation is not shown."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path

import pytest

from loyalty.common.settings import Settings
from loyalty.operate import publishing
from loyalty.operate.nightly import build_and_publish
from loyalty.publish.generations import STATE, Generation, current_generation, held_since, point_current_at
from loyalty.read.front import states, write_front
from loyalty.read.words import LANGUAGES, Words
from worlds import few_marts, one_mart
from worlds.opened import opened


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    """Generation 2 is shown, generation 1 is kept."""
    settings = few_marts.make_workspace(tmp_path / "shop")
    few_marts.publish(settings, 2, "2026-04-01")
    return settings


def shown(settings: Settings) -> Generation:
    current = current_generation(settings)
    assert current is not None
    return current


def front(settings: Settings) -> str:
    return (settings.serve / "report.html").read_text(encoding="utf-8")


def test_the_newest_generation_without_a_hold_has_nothing_beside_it(shop: Settings) -> None:
    assert [states(shop, shown(shop), Words(language)) for language in LANGUAGES] == [[], []]
    (shown(shop).folder / "report.html").write_text("report")
    write_front(opened(shop))
    assert '<meta http-equiv="refresh" content="0; url=current/report.html">' in front(shop)


def test_a_hold_and_a_newer_generation_are_said_in_both_languages(shop: Settings) -> None:
    (shop.serve / STATE).write_text(json.dumps({"held_since": "2026-04-02T06:30:00.5+00:00"}))
    point_current_at(shop, shop.serve / "generations" / "000001")
    assert states(shop, shown(shop), Words("en")) == [
        "Publishing is held since 2026-04-02 06:30 UTC, after a rollback: nothing newer is shown.",
        "Generation 000002, published 2026-04-01 05:02 UTC, is newer and is not shown.",
    ]
    (shown(shop).folder / "report.html").write_text("report")
    write_front(opened(shop))
    page = front(shop)
    assert "http-equiv" not in page
    assert page.count("2026-04-02 06:30") == page.count("000002") == 2
    assert set(re.findall(r'(?:href|src)="([^"]+)"', page)) == {"current/report.html"}


def test_a_generation_without_a_report_has_no_link_to_it(shop: Settings) -> None:
    write_front(opened(shop))
    assert "has no report" in front(shop) and "href" not in front(shop)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"held_since": null}'])
def test_a_folder_of_an_older_version_is_not_held(shop: Settings, content: str) -> None:
    assert held_since(shop) is None
    (shop.serve / STATE).write_text(content)
    assert held_since(shop) is None


def test_rollback_and_resume_say_it_to_readers(waiting: Settings) -> None:
    publishing.publish(opened(waiting), now=one_mart.NOW)
    assert held_since(waiting) is None
    publishing.rollback(opened(waiting))
    assert held_since(waiting) is not None
    assert "Generation 000002" in front(waiting) and "Publishing is held" in front(waiting)
    assert (waiting.serve / STATE).stat().st_mode & 0o444 == 0o444
    publishing.resume(opened(waiting))
    assert held_since(waiting) is None
    assert "Generation 000002" in front(waiting) and "Publishing is held" not in front(waiting)


def test_without_room_a_rollback_is_done_and_readers_learn_of_it_later(
    waiting: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publishing.publish(opened(waiting), now=one_mart.NOW)
    lines: list[str] = []
    with monkeypatch.context() as full:
        full.setattr(Path, "replace", no_room)
        full.setattr("loyalty.publish.generations.point_current_at", lambda *_: None)
        publishing.rollback(opened(waiting, lines.append))
    assert held_since(waiting) is None
    assert f"{waiting.serve / STATE} could not be written (no room): the next run tries it again" in lines
    assert not list(waiting.serve.glob(".*"))
    build_and_publish(opened(waiting), now=one_mart.NOW)
    assert held_since(waiting) is not None


def no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, "no room")


def test_what_a_killed_rollback_did_not_say_the_next_run_says(published: Settings) -> None:
    opened(published).ledger.append("rollback", generation=1, from_generation=1, build_id="", rolled_back=[])
    assert held_since(published) is None
    assert build_and_publish(opened(published), now=one_mart.NOW) is None
    assert held_since(published) is not None
