"""Readers see one whole generation or the one before, and what they see is what was built."""

import json
import re
import sys
from datetime import timedelta

import duckdb
import pytest

from loyalty.build import plan
from loyalty.build.build import build
from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger
from loyalty.common.settings import load_settings
from loyalty.publish import generations, stage, tables
from loyalty.publish import publish as publishing
from worlds import one_mart
from worlds.opened import opened
from worlds.own_feeds import Workspace

CUSTOMERS = "select * from marts.retention__customers order by customer_id"


def publish(settings, build_id=None, **options):
    return publishing.publish(opened(settings), build_id, now=one_mart.NOW, **options)


def change_work_file(settings, *statements):
    with duckdb.connect(str(settings.work_file)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_generation_holds_marts_core_and_parquet_for_readers_of_any_kind(published):
    folder = published.serve / "current"
    rows = one_mart.published(published, CUSTOMERS)
    assert [row[0] for row in rows] == ["ann", "bob"]
    assert duckdb.sql(f"from '{folder}/parquet/retention__customers.parquet' order by customer_id").fetchall() == rows
    assert one_mart.fetch(folder / "core.duckdb", "select count(*) from fct_orders") == [(3,)]
    assert not list(published.serve.rglob("*.wal"))
    assert {file.stat().st_mode & 0o777 for file in folder.rglob("*") if file.is_file()} == {0o444}
    assert {path.stat().st_mode & 0o777 for path in [published.serve, folder.resolve()]} == {0o755}


def test_readers_may_have_a_place_of_their_own(waiting, tmp_path):
    place = tmp_path / "readers" / "marts"
    (waiting.workspace / "loyalty.yml").write_text(f"serve_folder: {place}\n", encoding="utf-8")
    settings = load_settings(waiting.workspace)
    generation = publish(settings)
    assert generation.folder.parent == place / "generations"
    assert one_mart.published(settings, CUSTOMERS)
    assert {path.stat().st_mode & 0o777 for path in [place, generation.folder]} == {0o755}
    assert generations.current_generation(settings).number == generation.number
    assert publish(settings) is None


def test_two_workspaces_cannot_publish_into_one_place(waiting, tmp_path):
    place = tmp_path / "marts"
    place.mkdir()
    (waiting.workspace / "loyalty.yml").write_text(f"serve_folder: {place}\n", encoding="utf-8")
    opened(load_settings(waiting.workspace))
    one_mart.copy_workspace(waiting.workspace, tmp_path / "other")
    with pytest.raises(UserError, match=r"holds the data of the workspace .*shop.*set another `serve_folder`"):
        opened(load_settings(tmp_path / "other"))


def test_tables_are_described_where_readers_look(published):
    comments = one_mart.published(
        published, "select comment from duckdb_tables() where table_name = 'retention__customers'"
    )
    assert comments == [("One row per customer. Key: customer_id.",)]
    comments = one_mart.published(published, "select comment from duckdb_columns() where column_name = 'net_amount'")
    assert comments == [("What the customer has paid.",)]


def test_manifest_says_what_was_published(published):
    manifest = json.loads((published.serve / "current" / "manifest.json").read_text())
    assert manifest["as_of"] == "2017-12-30"
    assert manifest["marts"]["retention__customers"]["rows"] == 2
    assert manifest["feeds"]["orders"]["newest_export_date"] == "2017-12-30"
    assert set(manifest["files"]) == {"core.duckdb", "loyalty.duckdb", "parquet/retention__customers.parquet"}


def test_storage_is_pinned_so_that_older_clients_read_it(published):
    with duckdb.connect() as connection:
        connection.execute(f"attach '{published.serve}/current/loyalty.duckdb' as marts (read_only)")
        tags = connection.execute("select tags from duckdb_databases() where database_name = 'marts'").fetchall()
    assert tags[0][0]["storage_version"].startswith("v1.2.0")


def test_same_marts_are_not_published_again(published):
    assert publish(published) is None
    assert [one.number for one in generations.generations(published)] == [1]
    assert plan.is_published(Ledger(published.ledger), plan.last_build(Ledger(published.ledger)).data["build_id"])


def test_next_night_is_a_generation_of_its_own_and_the_old_one_stays(waiting):
    old = one_mart.published(waiting, CUSTOMERS)
    generation = publish(waiting)
    assert (generation.number, generation.is_current) == (2, True)
    assert [row[0] for row in one_mart.published(waiting, CUSTOMERS)] == ["ann", "bob", "eve"]
    assert one_mart.fetch(waiting.serve / "generations/000001/loyalty.duckdb", CUSTOMERS) == old


def test_reader_keeps_the_generation_it_opened(waiting):
    with duckdb.connect(str(waiting.serve / "current" / "loyalty.duckdb"), read_only=True) as reader:
        publish(waiting)
        generations.remove_all_but_current(waiting)
        assert reader.execute("select count(*) from marts.retention__customers").fetchall() == [(2,)]


def test_build_of_another_run_is_refused(built):
    with pytest.raises(UserError, match="Build 20170101-x is no longer in the work file"):
        publish(built, "20170101-x")
    assert not (built.serve / "current").exists()


def test_half_built_work_file_is_refused(built):
    change_work_file(built, "delete from meta.build")
    with pytest.raises(UserError, match="not completely built"):
        publish(built)


def test_old_orders_stop_publishing(built):
    with pytest.raises(UserError, match=r"came 4 days ago .* more than max_age_days \(3\)"):
        publishing.publish(opened(built), now=one_mart.NOW + timedelta(days=4))
    assert not (built.serve / "current").exists()


def test_mart_that_lost_most_of_its_rows_is_refused_unless_accepted(published, monkeypatch):
    monkeypatch.setattr(tables, "FEWEST_ROWS_COMPARED", 1)
    change_work_file(published, "delete from marts.retention__customers")
    with pytest.raises(UserError, match="would fall from 2 to 0 rows since generation 000001"):
        publish(published)
    assert publish(published, accept_drop=True).number == 2


def test_broken_key_is_refused(built):
    change_work_file(built, "insert into marts.retention__customers from marts.retention__customers")
    with pytest.raises(UserError, match=r"2 rows too many for its key \(customer_id\)"):
        publish(built)
    assert not list(built.serve.glob(".staging-*"))


@pytest.mark.parametrize("column", ["email", "customer_email", "phone_hash", "home_address", "full_name"])
def test_personal_column_in_a_mart_is_refused(built, column):
    change_work_file(built, f"alter table marts.retention__customers add column {column} varchar")
    with pytest.raises(UserError, match=f"has the personal column `{column}`"):
        publish(built)


def test_column_declared_personal_is_refused_whatever_its_name(built):
    change_work_file(
        built,
        "alter table marts.retention__customers add column nick varchar",
        "insert into meta.columns values ('marts', 'retention__customers', 'nick', '', true, '')",
    )
    with pytest.raises(UserError, match="has the personal column `nick`"):
        publish(built)


def test_address_in_the_cells_of_a_mart_is_refused(built):
    change_work_file(
        built, "update marts.retention__customers set customer_id = 'ann@example.com' where customer_id = 'ann'"
    )
    remedy = "looks like an e-mail address in `customer_id`; write `customer_id: {from: ..., hash: true}`"
    with pytest.raises(UserError, match=re.escape(remedy)):
        publish(built)


def test_hashes_stay_out_of_the_published_core(published):
    columns = one_mart.fetch(published.serve / "current" / "core.duckdb", "select column_name from duckdb_columns()")
    assert ("customer_id",) in columns
    assert ("customer_hash",) not in columns


def test_flags_about_personal_data_are_no_personal_data():
    assert not tables.is_personal_name("has_email")
    assert not tables.is_personal_name("category_name")
    assert tables.is_personal_name("row_json")


def test_rollback_shows_the_older_generation_and_holds_publishing(waiting):
    publish(waiting)
    generations.rollback(opened(waiting))
    assert generations.current_generation(waiting).number == 1
    with pytest.raises(UserError, match="held: on .* `loyalty rollback` chose generation 1"):
        publish(waiting)
    assert not plan.make_plan(opened(waiting)).is_needed
    said: list[str] = []
    generations.resume(opened(waiting, said.append))
    assert said == [
        "publishing is allowed again; the build that was rolled back is not published again: `loyalty run` builds anew "
        "and publishes"
    ]
    made = plan.make_plan(opened(waiting))
    assert made.needs_build and "was rolled back" in made.reasons[0]
    with pytest.raises(UserError, match="was rolled back and is not published again"):
        publish(waiting)
    assert publish(waiting, build(opened(waiting)).build_id).number == 3
    assert len(one_mart.published(waiting, CUSTOMERS)) == 3


def test_going_forward_shows_a_newer_generation_again(waiting):
    publish(waiting)
    build_id = generations.current_generation(waiting).manifest["build_id"]
    said: list[str] = []
    generations.rollback(opened(waiting, said.append))
    generations.rollback(opened(waiting, said.append), 2)
    assert [sentence.partition(";")[0] for sentence in said] == [
        "rolled back to generation 000001",
        "generation 000002 is shown again",
    ]
    assert plan.is_published(Ledger(waiting.ledger), build_id)
    with pytest.raises(UserError, match="held: on .* `loyalty rollback` chose generation 2"):
        publish(waiting)
    generations.resume(opened(waiting, said.append))
    assert said[-1] == "publishing is allowed again"
    assert not plan.make_plan(opened(waiting)).is_needed
    assert publish(waiting) is None, "readers see this build already"


def test_only_the_build_of_the_chosen_generation_is_no_longer_rolled_back(waiting):
    workspace = opened(waiting)
    second = publish(waiting).manifest["build_id"]
    same = build(workspace).build_id
    assert publish(waiting, same) is None, "the same marts: this build goes the way of generation 2"
    generations.rollback(workspace, 1)
    assert plan.rolled_back_builds(workspace.ledger) == {second, same}
    generations.resume(workspace)
    with pytest.raises(UserError, match="was rolled back and is not published again"):
        publish(waiting)
    third = publish(waiting, build(workspace).build_id).manifest["build_id"]
    every = {second, same, third}
    for chosen, rolled_back in ((1, every), (3, {second, same}), (2, {third}), (1, every)):
        generations.rollback(workspace, chosen)
        assert plan.rolled_back_builds(workspace.ledger) == rolled_back


def test_resuming_beside_a_newer_build_says_only_that_publishing_is_allowed(waiting):
    publish(waiting)
    generations.rollback(opened(waiting))
    newer = build(opened(waiting)).build_id
    said: list[str] = []
    generations.resume(opened(waiting, said.append))
    generations.resume(opened(waiting, said.append))
    assert said == ["publishing is allowed again", "publishing was not held"]
    assert publish(waiting, newer).number == 3


def test_rollback_to_what_is_not_there_is_refused(published):
    with pytest.raises(UserError, match="no generation before the current one"):
        generations.rollback(opened(published))
    with pytest.raises(UserError, match="no generation 9; there are: 1"):
        generations.rollback(opened(published), 9)


def test_rollback_before_anything_was_published_is_refused(built):
    with pytest.raises(UserError, match="Nothing has been published yet"):
        generations.rollback(opened(built))


def make_generations(settings, count):
    """Publish until there are `count` generations, each with other marts."""
    for number in range(2, count + 1):
        change_work_file(settings, f"update marts.retention__customers set orders_count = {number * 10}")
        publish(settings)


def test_old_generations_go_but_never_a_young_one_nor_below_three(published):
    make_generations(published, 6)
    assert generations.prune(published, keep=1, now=one_mart.NOW + timedelta(minutes=59)) == []
    assert generations.prune(published, keep=1, now=one_mart.NOW + timedelta(hours=1)) == ["000001", "000002", "000003"]
    assert [one.number for one in generations.generations(published)] == [4, 5, 6]


def test_current_generation_is_never_pruned(published):
    make_generations(published, 5)
    generations.rollback(opened(published), 1)
    assert generations.prune(published, keep=1, now=one_mart.NOW + timedelta(days=1)) == ["000002"]
    assert generations.current_generation(published).number == 1


def test_full_disk_leaves_the_current_generation_and_no_leftover(waiting, monkeypatch):
    def no_room(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stage, "_export", no_room)
    with pytest.raises(UserError, match="No space left on device.*current generation is untouched"):
        publish(waiting)
    assert generations.current_generation(waiting).number == 1
    assert not list(waiting.serve.glob(".*"))
    monkeypatch.undo()
    assert publish(waiting).number == 2


def test_the_link_is_there_at_every_moment_while_it_is_swapped(tmp_path):
    """Looked at before every line of what swaps it: a reader who comes then finds one generation or the other."""
    settings = Workspace(tmp_path / "shop").settings
    folders = [settings.serve / "generations" / name for name in ("000001", "000002")]
    for folder in folders:
        folder.mkdir(parents=True)
    generations.point_current_at(settings, folders[0])
    seen = []

    def look(frame, event, _):
        if frame.f_code.co_name == "point_current_at":
            seen.append((settings.serve / "current").resolve(strict=True).name)
            return look
        return None

    before = sys.gettrace()
    sys.settrace(look)
    try:
        generations.point_current_at(settings, folders[1])
    finally:
        sys.settrace(before)
    assert (seen[0], seen[-1], set(seen)) == ("000001", "000002", {"000001", "000002"})
    assert sorted(path.name for path in settings.serve.iterdir()) == ["current", "generations"]
