"""Faults of commands that were seen on small workspaces, and what is right instead."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from loyalty.common.errors import UserError
from loyalty.common.settings import Settings, load_settings
from loyalty.operate.airflow.dags import load_dags
from loyalty.operate.nightly import run_nightly
from loyalty.pull.feeds import BrokenFeed, load_feeds
from worlds import one_mart
from worlds.opened import opened


def test_b03_a_copied_yaml_disables_itself_and_no_other_feed(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(published.feeds / "orders.yml", published.feeds / "orders (copy).yml")
    feeds = load_feeds(published.feeds)
    broken = [feed for feed in feeds.values() if isinstance(feed, BrokenFeed)]
    assert len(broken) == 1
    assert "orders (copy).yml" in broken[0].message
    monkeypatch.setenv("LOYALTY_WORKSPACE", str(published.workspace))
    assert any("orders" in dag.dag_id for dag in load_dags())


def test_b07_a_home_whose_path_looks_like_a_column_is_refused(tmp_path: Path) -> None:
    settings = one_mart.make_workspace(tmp_path / "shop")
    (settings.workspace / "loyalty.yml").write_text("home: total_amount=7/customer_id=evil/var\n")
    with pytest.raises(UserError, match="`=`"):
        load_settings(settings.workspace)


def test_b12_the_nightly_run_removes_old_raw_files_without_airflow(published: Settings) -> None:
    (raw,) = published.raw.glob("orders/*")
    run_nightly(opened(published), now=one_mart.NOW + timedelta(days=published.raw_days - 1))
    assert raw.exists()
    run_nightly(opened(published), now=one_mart.NOW + timedelta(days=published.raw_days + 1))
    assert not raw.exists()
