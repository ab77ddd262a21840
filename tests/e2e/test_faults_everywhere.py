"""A fault in any mart or estimate of the project: its lineage is withheld, every other mart is published as it was."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import ModuleType

import pytest

from loyalty.build import build as build_module
from loyalty.build.build import build
from loyalty.build.dbt_runner import parse_project
from loyalty.build.estimates.runner import STEPS
from loyalty.common.settings import Settings, load_settings
from loyalty.land.landing import load_feed
from loyalty.publish.generations import current_generation
from loyalty.publish.publish import publish
from loyalty.pull.feeds import load_feeds
from worlds import corner_shop
from worlds.opened import opened
from worlds.warehouse import project

NOW = datetime(2024, 6, 1, 6, tzinfo=UTC)
MARTS = sorted(
    node.name for node in project().nodes.values() if node.resource_type == "model" and node.schema == "marts"
)
ESTIMATES = [step.__name__.rpartition(".")[2] for step in STEPS]
# a run tries one of them, another one when the project has one mart more
DRAWN = random.Random(len(MARTS)).sample(MARTS, 1)


@dataclass(frozen=True)
class Shop:
    """A published shop, and the checksum of each mart without any fault."""

    settings: Settings
    marts: dict[str, str]


def checksums(settings: Settings, *states: str) -> dict[str, str]:
    """The marts that the shown generation has in these states, with their checksums."""
    generation = current_generation(settings)
    assert generation is not None
    marts, known = generation.manifest["marts"], generation.manifest["mart_states"]
    return {mart: marts[mart]["checksum"] for mart, state in known.items() if state["state"] in states}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The corner shop, published."""
    folder = corner_shop.make_workspace(tmp_path_factory.mktemp("shop"))
    corner_shop.write_till(folder, date(2024, 4, 30), orders=400)
    corner_shop.write_members(folder)
    corner_shop.write_answers(folder, 1, date(2024, 4, 2))
    settings = load_settings(folder)
    workspace = opened(settings)
    for feed in load_feeds(settings.feeds).values():
        load_feed(workspace, feed, now=NOW)
    assert not renewed(settings)
    return Shop(settings, checksums(settings, "fresh"))


def renewed(settings: Settings) -> set[str]:
    """Build and publish; the marts that were withheld."""
    workspace = opened(settings)
    result = build(workspace)
    publish(workspace, result.build_id, now=NOW)
    return {one.name for one in result.withheld if one.schema == "marts"}


def readers(parents: set[str]) -> set[str]:
    """The marts that read one of these models or sources, directly or not."""
    nodes = project().nodes
    found = set(parents)
    while more := {
        name
        for name, node in nodes.items()
        if name not in found and node.resource_type == "model" and found & set(node.depends_on.nodes)
    }:
        found |= more
    return {nodes[one].name for one in found if one in nodes and nodes[one].schema == "marts"}


def hold_mart(shop: Shop, mart: str, environment: pytest.MonkeyPatch) -> None:
    """The mart meets a row that it cannot take; all marts outside its lineage are those of the first generation."""

    def with_fault(settings: Settings):
        manifest = parse_project(settings)
        (node,) = [one for one in manifest.nodes.values() if one.resource_type == "model" and one.name == mart]
        node.raw_code = "select error('a row that it cannot take')"
        return manifest

    environment.setattr(build_module, "parse_project", with_fault)
    withheld = renewed(shop.settings)
    assert withheld == readers({f"model.loyalty.{mart}"})
    assert checksums(shop.settings, "fresh") == {k: v for k, v in shop.marts.items() if k not in withheld}
    assert checksums(shop.settings, "kept") == {k: v for k, v in shop.marts.items() if k in withheld}


def hold_estimate(shop: Shop, name: str, environment: pytest.MonkeyPatch) -> None:
    """The estimate ends in an error; nothing is withheld, and marts that do not read its tables are as before."""
    (step,) = [one for one in STEPS if one.__name__.endswith(f".{name}")]

    def fail(*_: object) -> None:
        raise ZeroDivisionError("a singular matrix")

    environment.setattr(step, "fit", fail)
    assert renewed(shop.settings) == set()
    beyond = set(shop.marts) - readers(tables_of(step))
    now = checksums(shop.settings, "fresh")
    assert beyond
    assert {mart: now[mart] for mart in beyond} == {mart: shop.marts[mart] for mart in beyond}


def tables_of(step: ModuleType) -> set[str]:
    """The sources that an estimate writes; every estimate writes rows of the three common ones."""
    return {f"source.loyalty.estimates.{table}" for table in (*step.TABLES, "fits", "parameters", "checks")}


@pytest.fixture
def environment() -> Iterator[pytest.MonkeyPatch]:
    """Patches of one test, taken back before the next one builds."""
    with pytest.MonkeyPatch.context() as patches:
        yield patches


@pytest.mark.parametrize("mart", DRAWN)
def test_k1_a_fault_in_a_drawn_mart_stays(shop: Shop, mart: str, environment: pytest.MonkeyPatch) -> None:
    hold_mart(shop, mart, environment)


@pytest.mark.slow
@pytest.mark.parametrize("mart", MARTS)
def test_k1_a_fault_in_any_mart_stays(shop: Shop, mart: str, environment: pytest.MonkeyPatch) -> None:
    hold_mart(shop, mart, environment)


@pytest.mark.slow
@pytest.mark.parametrize("name", ESTIMATES)
def test_k1_a_fault_in_any_estimate_stays(shop: Shop, name: str, environment: pytest.MonkeyPatch) -> None:
    hold_estimate(shop, name, environment)
