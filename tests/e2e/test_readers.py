"""Readers in processes of their own, during many publishes: no query fails, none sees two generations at once."""

from __future__ import annotations

import multiprocessing
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from loyalty.operate.verify import verify
from loyalty.publish import generations
from loyalty.publish.publish import publish
from worlds import one_mart
from worlds.opened import opened

SPAWN = multiprocessing.get_context("forkserver")
# In every generation all rows of both files say the generation's number.
STATES = "select min(orders_count), max(orders_count), count(*) from marts.retention__customers"


def read(folder: Path, done: Any, held_open: bool, results: Any) -> None:
    """Read, and send what was found in any case: who waits for a reader that is gone waits for ever."""
    try:
        found = ask(folder, done, held_open)
    except Exception as error:
        found = 0, 0, [f"the reader ended: {error!r}"]
    results.put(found)


def ask(folder: Path, done: Any, held_open: bool) -> tuple[int, int, list[str]]:
    """Ask until `done` is set; gives how many queries it asked, how many states it saw, and what went wrong."""
    asked, states, wrong = 0, set(), []
    file = str(folder / "current" / "loyalty.duckdb")
    held = duckdb.connect(file, read_only=True) if held_open else None
    first = held.execute(STATES).fetchall() if held else None
    while not done.is_set() or not asked:
        try:
            if held:
                rows = held.execute(STATES).fetchall()
            else:
                with duckdb.connect(file, read_only=True) as connection:
                    rows = connection.execute(STATES).fetchall()
        except duckdb.Error as error:
            wrong.append(str(error))
            continue
        low, high, count = rows[0]
        if low != high or count != 2 or (held and rows != first):
            wrong.append(f"mixed: {rows}")
        states.add(low)
        asked += 1
    return asked, len(states), wrong


def publish_while_read(settings: Any, publishes: int, readers: int, least: int) -> None:
    """Publish so many times beside so many readers, every fourth of which keeps its connection."""
    number(settings, 0)
    publish(opened(settings), now=one_mart.NOW)
    done, results = SPAWN.Event(), SPAWN.Queue()
    processes = [
        SPAWN.Process(target=read, args=(settings.serve, done, place % 4 == 0, results)) for place in range(readers)
    ]
    for process in processes:
        process.start()
    for step in range(1, publishes + 1):
        number(settings, step)
        publish(opened(settings), now=one_mart.NOW + timedelta(hours=step))
        if step % 5 == 0:
            generations.rollback(opened(settings))
            generations.resume(opened(settings))
    done.set()
    counts = [results.get() for _ in processes]
    for process in processes:
        process.join()
    assert [wrong for _, _, wrong in counts if wrong] == []
    assert sum(asked for asked, _, _ in counts) >= least
    assert len(generations.generations(settings)) <= settings.keep_generations + 1
    assert verify(opened(settings)) == []  # no generation was changed once it was shown


def number(settings: Any, step: int) -> None:
    with duckdb.connect(str(settings.work_file)) as connection:
        connection.execute(f"update marts.retention__customers set orders_count = {step}")


def test_readers_see_whole_generations_while_one_after_another_is_published(built):
    publish_while_read(built, publishes=4, readers=3, least=3)


@pytest.mark.torture
def test_thousands_of_queries_across_many_publishes(built):
    publish_while_read(built, publishes=68, readers=8, least=5_000)
