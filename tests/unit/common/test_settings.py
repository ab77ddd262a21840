"""Settings: flag over environment over workspace file, and a sentence for what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from loyalty.common.errors import UserError
from loyalty.common.settings import find_workspace, load_settings
from worlds.own_feeds import Workspace


def test_flag_over_environment_over_file_over_default(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings(workspace.folder).raw_days == 30
    (workspace.folder / "loyalty.yml").write_text("raw_days: 10\n", encoding="utf-8")
    assert load_settings(workspace.folder).raw_days == 10
    monkeypatch.setenv("LOYALTY_RAW_DAYS", "5")
    assert load_settings(workspace.folder).raw_days == 5
    assert load_settings(workspace.folder, raw_days=1).raw_days == 1


def test_the_data_lie_in_the_workspace_and_not_in_the_current_folder(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(workspace.folder).landing == workspace.folder / "var" / "landing"
    monkeypatch.setenv("LOYALTY_HOME", str(tmp_path / "data"))
    assert load_settings(workspace.folder).home == tmp_path / "data"


def test_the_workspace_is_found_upwards(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOYALTY_WORKSPACE", raising=False)
    assert find_workspace(workspace.folder / "dags" / "feeds") == workspace.folder
    monkeypatch.setenv("LOYALTY_WORKSPACE", str(workspace.folder))
    assert find_workspace() == workspace.folder


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("raw_dayz: 5", "key `raw_dayz`"),
        ("raw_days: soon", "key `raw_days`: Input should be a valid integer"),
        ("keep_generations: 1", "greater than or equal to 3"),
        ("raw_days: [", "is not valid YAML"),
        ("raw_days: 3\n\nraw_days: 30", "line 3: the key `raw_days` is there twice"),
        ("- a", "must hold `key: value` lines"),
        ("memory_limit: lots", "a size with its unit"),
        ("memory_limit: -4GB", "a size with its unit"),
        ("max_age_days: 1e300", "less than or equal to 36500"),
        ("max_age_days: .inf", "less than or equal to 36500"),
        ("max_age_days: .nan", "max_age_days"),
        ("raw_days: 999999999", "less than or equal to 36500"),
        ("reporting_currency: franc", "three capital letters, such as CHF"),
        ("time_zone: Berlin", "no such IANA time zone"),
        ("load_schedule: every day", "key `load_schedule`: a cron of five fields"),
        ("build_schedule: 0 25 * * *", "key `build_schedule`: a cron of five fields"),
        ("build_schedule: 0 5 * *", "such as 0 2 * * * (found '0 5 * *')"),
        ("load_schedule: 0 2 31 2 *", "a cron of five fields"),
        ("engine: hadoop", "key `engine`: Input should be 'duckdb' or 'spark'"),
        ("spark: {warehouse: shared}", "key `spark.warehouse`: an absolute path"),
        ("spark: {warehouse: /shared/a=b}", "key `spark.warehouse`: an absolute path without any of"),
        ("spark: {master: host}", "key `spark.master`: the address of a cluster, such as spark://host:7077"),
        ("spark: {conf: {spark.sql.session.timeZone: CET}}", "spark.sql.session.timeZone is set by the engine"),
        ("spark: {conf: {executor.memory: 4g}}", "begin with `spark.`, and executor.memory does not"),
        ("spark: {mastre: yarn}", "key `spark.mastre`: there is no such setting"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(workspace: Workspace, text: str, sentence: str) -> None:
    (workspace.folder / "loyalty.yml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as wrong:
        load_settings(workspace.folder)
    assert "loyalty.yml" in str(wrong.value)
    assert sentence in str(wrong.value)


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("var/[marts]", "DuckDB takes for a pattern"),
        (".", "is in it: set `serve_folder` to a folder for the published generations alone"),
        ("var", "is to be open to readers"),
    ],
)
def test_a_place_that_is_not_for_readers_alone_is_refused(workspace: Workspace, place: str, sentence: str) -> None:
    (workspace.folder / "loyalty.yml").write_text(f"serve_folder: {place}", encoding="utf-8")
    with pytest.raises(UserError) as wrong:
        load_settings(workspace.folder)
    assert sentence in str(wrong.value)


@pytest.mark.parametrize(
    "text",
    [
        "notify_ur: https://hook.example/?token=Secret7",
        "notify_url: {url: https://hook.example/token=Secret7}",
        'notify_url: "https://hook.example/?token=Secret7',
        "notify_url: [https://hook.example/?token=Secret7]",
    ],
)
def test_the_value_of_a_misspelt_or_secret_key_is_not_said(workspace: Workspace, text: str) -> None:
    (workspace.folder / "loyalty.yml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="notify_ur|line 1: ") as wrong:
        load_settings(workspace.folder)
    assert "Secret7" not in str(wrong.value)


def test_a_wrong_variable_is_named(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOYALTY_BUILD_ON", "sunrise")
    with pytest.raises(UserError, match="LOYALTY_BUILD_ON"):
        load_settings(workspace.folder)


def test_a_folder_without_a_workspace_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="loyalty init"):
        load_settings(tmp_path)


def test_outside_of_a_workspace_the_commands_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOYALTY_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"no loyalty\.yml in .* or above it: change into a workspace"):
        load_settings()


def test_a_setting_that_does_not_exist_is_answered_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "loyalty.yml").write_text("hme: var\n", encoding="utf-8")
    with pytest.raises(UserError, match="key `hme`: there is no such setting; did you mean `home`"):
        load_settings(tmp_path)
