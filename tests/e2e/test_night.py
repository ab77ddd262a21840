"""The whole night without a scheduler: what is new is built and published, what is refused stops nothing else."""

from datetime import date

from loyalty.build import build, plan
from loyalty.common.ledger import Ledger
from loyalty.operate import nightly
from loyalty.publish.generations import current_generation
from worlds import one_mart
from worlds.opened import opened


def run(settings, **options):
    said = []
    code = nightly.run_nightly(opened(settings, said.append), now=one_mart.NOW, **options)
    return code, "\n".join(said)


def test_first_night_publishes_and_says_what_came(tmp_path):
    settings = one_mart.make_workspace(tmp_path / "shop")
    code, said = run(settings)
    assert code == nightly.CLEAN
    assert "orders      1            3            0" in said
    assert "retention__customers     2" in said
    assert "generation 000001, as of 2017-12-30" in said
    assert "`profitability__whale_curve` has no answer" in said


def test_warnings_that_were_said_in_the_last_run_are_one_line(published):
    one_mart.warn(published, {"on the moon": 2, "parked": 30})
    _, first = run(published)
    assert len([line for line in first.splitlines() if line.startswith("warning: ")]) == 2
    one_mart.warn(published, {"on the moon": 2, "parked": 31, "lost": 1})
    _, said = run(published)
    lines = [line for line in said.splitlines() if line.startswith("warning: ") or "last run" in line]
    assert lines == [
        "warning: orders of shop: unknown status `lost` in 1 row: map the word",
        "warning: orders of shop: unknown status `parked` in 31 rows: map the word",
        "1 warning of the data as in the last run: `loyalty status` shows all",
    ]


def test_nothing_new_publishes_nothing_and_is_clean(published):
    code, said = run(published)
    assert code == nightly.CLEAN
    assert "no load, setting or code has changed" in said
    assert current_generation(published).number == 1


def test_night_after_equals_a_full_rebuild(published):
    one_mart.deliver(published, "2017-12-31", one_mart.DAY_31)
    code, said = run(published)
    assert (code, current_generation(published).number) == (nightly.CLEAN, 2)
    assert "1 new of 2 loads" in said
    built = build.build(opened(published), full=True)
    assert nightly.publish(opened(published), built.build_id, now=one_mart.NOW) is None


def test_a_mart_taken_out_of_the_project_is_not_published_any_more(published):
    models = published.dbt_project_dir / "models" / "marts"
    (models / "retention__orders.sql").write_text("select 1 as order_count")
    assert run(published)[0] == nightly.CLEAN
    assert one_mart.published(published, "from marts.retention__orders") == [(1,)]
    (models / "retention__orders.sql").unlink()
    assert run(published)[0] == nightly.CLEAN
    assert list(current_generation(published).mart_rows) == ["retention__customers"]


def test_refused_file_of_one_feed_leaves_the_others(published):
    feeds = published.feeds
    (feeds / "web.yml").write_text(
        one_mart.FEED.replace("source: shop", "source: web").replace("exports/orders_{date}", "exports/web_{date}")
    )
    file = one_mart.deliver(published, "2017-12-31", one_mart.DAY_31)
    file.with_name("web_2017-12-31.csv").write_text("id,customer,total\n9,zoe,1.00\n")
    code, said = run(published)
    assert code == nightly.WITH_REJECTS
    assert len(one_mart.published(published, "from marts.retention__customers")) == 3
    assert "rejected: Feed `web`, file web_2017-12-31.csv" in said


def test_crash_of_one_feed_stays_with_it(published, monkeypatch):
    def crash(*_, **__):
        raise RuntimeError("boom")

    monkeypatch.setattr(nightly, "load_feed", crash)
    code, said = run(published)
    assert code == nightly.WITH_REJECTS
    assert "unexpected RuntimeError" in said
    assert "Traceback" not in said
    assert "boom" in (published.home / "logs" / "orders.log").read_text()


def test_broken_feed_yaml_is_named_and_stops_nothing(published):
    (published.feeds / "web.yml").write_text("feed: ordes\n")
    one_mart.deliver(published, "2017-12-31", one_mart.DAY_31)
    code, said = run(published)
    assert code == nightly.WITH_REJECTS
    assert "Feed `web` is disabled" in said
    assert current_generation(published).number == 2


def test_failed_model_is_named_and_the_published_marts_stay(published):
    model = published.dbt_project_dir / "models" / "marts" / "retention__customers.sql"
    model.write_text("select no_such_column from {{ ref('fct_orders') }}")
    code, said = run(published)
    assert code == nightly.NOT_PUBLISHED
    assert "dbt model `retention__customers` failed" in said
    assert "no_such_column" in said
    assert len(one_mart.published(published, "from marts.retention__customers")) == 2


def test_failed_test_is_named_with_its_rows(published):
    model = published.dbt_project_dir / "models" / "marts" / "retention__customers.sql"
    model.write_text(model.read_text() + "\nunion all select 'ann', 0, 0, 0")
    code, said = run(published)
    assert code == nightly.NOT_PUBLISHED
    assert "dbt test `unique` of model `retention__customers` found 1 wrong row (" in said


def test_night_without_any_orders_is_not_clean(tmp_path):
    settings = one_mart.make_workspace(tmp_path / "shop")
    next((settings.home / "exports").iterdir()).unlink()
    code, said = run(settings)
    assert code == nightly.NOT_PUBLISHED
    assert "no orders have been accepted yet" in said


def test_as_of_is_a_parameter_and_the_next_night_is_as_of_the_data_again(published):
    run(published, as_of=date(2017, 12, 15))
    assert current_generation(published).manifest["as_of"] == "2017-12-15"
    run(published)
    assert current_generation(published).manifest["as_of"] == "2017-12-30"


def test_changed_var_is_a_reason_to_build(published):
    workspace_file = published.workspace / "loyalty.yml"
    workspace_file.write_text(workspace_file.read_text() + "\nvars: {factor: 2}\n")
    changed = one_mart.load_settings(published.workspace)
    assert plan.make_plan(opened(changed)).reasons == (
        "changed settings: factor from the default to 2;"
        " core, estimates and marts are made again, landing is not read again",
    )
    run(changed)
    core = published.serve / "current" / "core.duckdb"
    assert one_mart.fetch(core, "select factor from dim_as_of") == [(2,)]


def test_runs_are_remembered(published):
    run(published)
    last = Ledger(published.ledger).last("run")
    assert (last.data["run_kind"], last.data["outcome"]) == ("night", "done")
