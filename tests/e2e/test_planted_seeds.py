"""Forty draws of the sample exports, each through the project's own path: how often the intervals cover the truth.

The purchases are the same in every draw, so they are landed and built once. Each draw's simulated exports are landed
beside them, and only what depends on those feeds, as far as the planted parameters need it, is built again.
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from loyalty.build import work_file
from loyalty.build.dbt_runner import parse_project, run_dbt
from loyalty.build.estimates import ensure_tables
from loyalty.build.estimates.steps import survey_drivers, survey_weights
from loyalty.build.raw_views import data_span, register, register_build
from loyalty.common.ledger import Ledger
from loyalty.common.settings import Settings, load_settings, shipped
from loyalty.demo import write_simulated
from loyalty.demo.draws import draw
from loyalty.demo.files import Exports
from loyalty.demo.purchases import Purchases, read_purchases, write_published
from loyalty.land.landing import load_feed
from loyalty.privacy.keys import use_demo_key
from loyalty.pull.feeds import FeedConfig, load_feeds
from worlds.opened import opened
from worlds.planted_truth import Planted, ask, read_truth

REPOSITORY = shipped("dags").parent
SEEDS = range(1, 41)
PUBLISHED = {"orders", "order_lines", "products", "customers", "campaigns", "campaign_contacts", "redemptions"}

STEPS = (survey_weights, survey_drivers)

# The models that show the parameters, and the odds of all modes, whose direction only many draws show.
TARGETS = (
    "int_satisfaction__contrasts",
    "int_satisfaction__score_rates",
    "satisfaction__loyalty_contrasts",
    "satisfaction__drivers",
    "satisfaction__word_of_mouth_scores",
    "satisfaction__complaint_funnel",
    "satisfaction__silent_dissatisfied",
    "programme__campaigns",
    "programme__months",
    # what the estimates are made of
    *(step.STATISTICS.removeprefix("statistics.") for step in STEPS),
)
# Margins and tiers: they read all order lines, and no parameter depends on what a draw changes in them.
BUILT_ONCE = {
    "int_programme__campaign_results",
    "fct_cost_allocations",
    "fct_customer_days",
    "fct_customer_value_windows",
    "int_programme__member_months",
}


@dataclass(frozen=True)
class Project:
    """The dbt project, read once: parents of models, seeds and sources, and what is built after the estimates."""

    parsed: bytes
    parents: dict[str, list[str]]
    late: set[str]

    @property
    def manifest(self) -> Any:
        """A copy, for dbt writes into the one it is given."""
        return pickle.loads(self.parsed)

    def ancestors(self, names: Iterable[str], without: Collection[str] = ()) -> set[str]:
        """What these are made of, themselves included, never through `without`."""
        found: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in found and name not in without:
                found.add(name)
                todo += self.parents[name]
        return found


def read_project(settings: Settings) -> Project:
    manifest = parse_project(settings)
    nodes = {key: node for key, node in manifest.nodes.items() if key.startswith(("model.", "seed."))}
    names = {key: node.name for key, node in nodes.items()}
    names |= {key: f"{source.source_name}.{source.name}" for key, source in manifest.sources.items()}
    parents: dict[str, list[str]] = {name: [] for name in names.values()}
    for node in nodes.values():
        parents[node.name] = [names[key] for key in getattr(node.depends_on, "nodes", [])]  # a seed has none
    project = Project(pickle.dumps(manifest), parents, set())
    estimates = {name for name in names.values() if name.startswith("estimates.")}
    return replace(project, late={name for name in parents if estimates & project.ancestors([name])})


def test_the_targets_are_models_of_the_project() -> None:
    known = {file.stem for file in (REPOSITORY / "dbt_project" / "models").rglob("*.sql")}
    assert {*TARGETS, *BUILT_ONCE} - known == set(), "a model was renamed: name it anew here"


@dataclass(frozen=True)
class Base:
    """The purchases, landed and built, without anything that was drawn."""

    settings: Settings
    purchases: Purchases
    project: Project


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    settings = load_settings(REPOSITORY, home=tmp_path_factory.mktemp("purchases"))
    use_demo_key(settings)
    purchases = read_purchases()
    exports = settings.home / "exports"
    exports.mkdir()
    write_published(Exports(exports, purchases.connection))
    load(settings, lambda feed: feed.canonical_name in PUBLISHED)
    project = read_project(settings)
    build(settings, project, project.ancestors(TARGETS))
    yield Base(settings, purchases, project)
    purchases.connection.close()


def load(settings: Settings, is_wanted: Callable[[FeedConfig], bool]) -> None:
    """Land what lies in the exports for some of the feeds."""
    feeds = [feed for feed in load_feeds(settings.feeds).values() if isinstance(feed, FeedConfig)]
    for feed in sorted(filter(is_wanted, feeds), key=lambda feed: feed.canonical_name != "customers"):
        assert all(one.outcome == "accepted" for one in load_feed(opened(settings), feed)), feed.name


def build(settings: Settings, project: Project, names: set[str]) -> None:
    """The build's own steps, on some of the models: core, estimates, what reads them."""
    workspace = opened(settings)
    loads = workspace.ledger.loads()
    with work_file.open_work_file(settings) as connection:
        register(connection, workspace, loads)
        span = data_span(connection, settings, loads)
        register_build(connection, "test", span, "test")
        ensure_tables(connection)
    models = {name for name in names if "." not in name}
    run(settings, project, models - project.late)
    with work_file.open_work_file(settings) as connection:
        for step in STEPS:
            step.fit(connection, span.as_of)
    run(settings, project, models & project.late)


def run(settings: Settings, project: Project, models: set[str]) -> None:
    """Build these models and seeds, without their tests."""
    untested = ("--exclude-resource-type", "test", "unit_test")
    run_dbt(settings, "build", *untested, "--select", *sorted(models), project=project.manifest)


def drawn(base: Base, home: Path, seed: int) -> Settings:
    """A workspace with the purchases as they are and a draw of its own."""
    for folder in ("landing", "ledger", "private", "work"):
        shutil.copytree(base.settings.home / folder, home / folder)
    (home / "exports").mkdir()
    settings = load_settings(REPOSITORY, home=home)
    write_simulated(Exports(home / "exports", base.purchases.connection), draw(base.purchases, seed))
    names = base.project.ancestors(TARGETS, BUILT_ONCE)
    load(settings, lambda feed: feed.canonical_name not in PUBLISHED and f"raw.{feed.canonical_name}" in names)
    sources = {f"raw.{load.feed}" for load in Ledger(settings.ledger).loads() if load.feed not in PUBLISHED}
    build(settings, base.project, {name for name in names if sources & base.project.ancestors([name])})
    return settings


@pytest.fixture(scope="module")
def answers(base: Base, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """What each draw's marts say to the rows of its own truth file."""
    found = []
    for seed in SEEDS:
        settings = drawn(base, tmp_path_factory.mktemp(f"seed-{seed}-"), seed)
        with work_file.open_work_file(settings) as connection:
            for row in read_truth(settings.home / "exports"):
                if row.kind == "parameter" or row.mart == "satisfaction__loyalty_contrasts":
                    found.append({"seed": seed, "row": row, "name": row.name, "found": ask(connection, row)})
        shutil.rmtree(settings.home)
    return pd.DataFrame(found)


@pytest.mark.slow
def test_intervals_cover_the_planted_parameters(answers: pd.DataFrame) -> None:
    """All parameters together in at least 90 % of the draws, none in under 80 %."""
    parameters = answers[[row.kind == "parameter" for row in answers["row"]]]
    covered = [row.is_answered_by(found) for row, found in zip(parameters["row"], parameters["found"], strict=True)]
    rates = parameters.assign(is_covered=covered).groupby("name")["is_covered"].mean()
    assert rates.mean() >= 0.9, rates
    assert rates.min() >= 0.8, rates


@pytest.mark.slow
def test_odds_of_all_modes_are_too_low_over_the_draws(answers: pd.DataFrame) -> None:
    biased: pd.DataFrame = answers[[row.kind == "biased" for row in answers["row"]]]
    row: Planted = biased["row"].iloc[0]
    odds = pd.Series([found[0] for found in biased["found"]])
    assert row.is_missed_by(odds.mean() + 1.96 * odds.sem())
    assert all(flag for _, flag in biased["found"])
