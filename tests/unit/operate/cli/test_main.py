"""The command: help at once, one sentence for a mistake, exit codes that schedulers rely on."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from loyalty.common import failpoints
from loyalty.common.counted import counted
from loyalty.common.errors import UserError
from loyalty.common.ledger import Ledger
from loyalty.common.runs import failed_runs
from loyalty.operate import publishing
from loyalty.operate.cli.main import app
from worlds import one_mart
from worlds.opened import opened

COMMANDS = ["run", "load", "build", "publish", "generations", "rollback", "status", "doctor", "query", "dev", "forget"]
COMMANDS += ["init", "quarantine", "report", "describe"]


def call(settings, *arguments):
    return CliRunner().invoke(app, ["--workspace", str(settings.workspace), *arguments], catch_exceptions=False)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch):
    monkeypatch.setenv("LOYALTY_WORKSPACE", "")


def test_help_names_every_command_without_importing_anything_heavy():
    heavy = "[m for m in ('dbt', 'duckdb', 'pandas', 'great_expectations', 'airflow', 'pyarrow') if m in sys.modules]"
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom loyalty.operate.cli.main import app\n"
        f"print(CliRunner().invoke(app, ['--help']).output)\nassert not {heavy}, {heavy}"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [command for command in COMMANDS if f"\n  {command} " not in done.stdout] == []


@pytest.mark.parametrize("command", [*COMMANDS, "quarantine release"])
def test_every_command_explains_itself(command):
    result = CliRunner().invoke(app, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_version_and_every_exit_code_are_printed():
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"loyalty {version('loyalty-warehouse')}\n")
    words = " ".join(CliRunner().invoke(app, ["--help"]).output.split())
    assert [
        code for code in ("0 done", "1 not", "2 wrong usage", "3 published", "130 stopped") if code not in words
    ] == []


def test_mistake_is_one_sentence_and_exit_1(tmp_path):
    done = subprocess.run(
        [Path(sys.executable).with_name("loyalty"), "--workspace", str(tmp_path), "status"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "no workspace" in done.stderr or "no loyalty.yml" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_terminal_that_cannot_write_a_letter_gets_its_number(tmp_path):
    (tmp_path / "loyalty.yml").write_text("")
    (tmp_path / "dags" / "feeds").mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", "from loyalty.operate.cli.main import main; main()", "load", "满意"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "LOYALTY_WORKSPACE"}
        | {"PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("loyalty: There is no feed `\\u6ee1\\u610f`")


def test_load_says_what_landed_and_exits_3_when_a_file_is_refused(published):
    one_mart.deliver(published, "2017-12-31", one_mart.DAY_31)
    result = call(published, "load", "orders")
    assert result.exit_code == 0
    assert "orders: landed 2 rows of orders_2017-12-31.csv" in result.output
    one_mart.deliver(published, "2018-01-01", "id,customer\n1,ann\n")
    result = call(published, "load", "orders")
    assert result.exit_code == 3
    assert "rejected: Feed `orders`, file orders_2018-01-01.csv" in result.output


def test_unknown_feed_is_answered_with_the_nearest(published):
    with pytest.raises(UserError, match="There is no feed `order` .*did you mean `orders`"):
        call(published, "load", "order")


def test_status_shows_feeds_generation_and_plan(published):
    result = call(published, "status", "--verify")
    assert result.exit_code == 0
    assert "published: generation 000001" in result.output
    assert "next run: changes nothing" in result.output
    assert "every landed and published byte is as it was written" in result.output


def test_status_verify_exits_1_when_a_byte_is_wrong(published):
    file = published.serve / "generations" / "000001" / "parquet" / "retention__customers.parquet"
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    result = call(published, "status", "--verify")
    assert result.exit_code == 1
    assert "WRONG" in result.output


def test_generations_rollback_and_resume(waiting):
    from loyalty.publish.publish import publish

    publish(opened(waiting), now=one_mart.NOW)
    assert "000002      current" in call(waiting, "generations").output
    assert "rolled back to generation 000001" in call(waiting, "rollback").output
    status = call(waiting, "status").output
    assert "publishing is held since a rollback" in status
    assert "next run: publishes nothing (publishing is held)" in status
    assert not json.loads(call(waiting, "status", "--format", "json").output)["next_run"]["publishes"]
    assert "000001      current" in call(waiting, "generations").output


def test_generations_diff_names_what_is_another(waiting):
    with pytest.raises(UserError, match="none before it to compare with"):
        call(waiting, "generations", "--diff")
    publishing.publish(opened(waiting), now=one_mart.NOW)
    shown = call(waiting, "generations", "--diff").output
    assert "generation 000001 (2017-12-30) -> 000002 (2017-12-31)" in shown
    assert "retention__customers" in shown
    document = json.loads(call(waiting, "generations", "--diff", "--format", "json").output)
    assert (document["before"], document["now"]) == (1, 2)
    assert "retention__customers" in {one["mart"] for one in document["marts"]}


def test_report_says_where_it_is_and_makes_it_where_it_is_missing(waiting, tmp_path):
    made = tmp_path / "made.html"  # the fixture's first generation was published without a report
    assert call(waiting, "report", "--output", str(made)).output.strip() == str(made)
    assert "Generation 000001" in made.read_text(encoding="utf-8")
    publishing.publish(opened(waiting), now=one_mart.NOW)
    assert call(waiting, "report").output.strip() == str(waiting.serve / "report.html")
    with pytest.raises(UserError, match="choose another file"):
        call(waiting, "report", "--output", str(tmp_path / "no folder" / "r.html"))


def test_describe_says_what_a_table_its_key_and_its_columns_are(published):
    shown = call(published, "describe", "retention__customers").output
    assert shown.startswith("marts.retention__customers\n")
    assert "Key: customer_id." in " ".join(shown.split())
    document = json.loads(call(published, "describe", "retention__customers", "--format", "json").output)
    assert document["columns"][0]["name"] == "customer_id"
    assert document["columns"][0]["meaning"]
    with pytest.raises(UserError, match="did you mean retention__customers"):
        call(published, "describe", "retention__customer")


def test_a_parquet_file_says_what_its_columns_mean(published):
    file = published.serve / "current" / "parquet" / "retention__customers.parquet"
    metadata = pq.read_metadata(file).metadata
    assert b"Key: customer_id." in metadata[b"description"]
    assert "customer_id" in json.loads(metadata[b"columns"])


def test_status_is_a_document_for_programs(published):
    one_mart.deliver(published, "2018-01-01", "id,customer\n1,ann\n")
    assert call(published, "load", "orders").exit_code == 3
    result = call(published, "status", "--verify", "--format", "json")
    assert result.exit_code == 0
    state = json.loads(result.output)
    (feed,) = state["feeds"]
    assert (feed["name"], feed["last_outcome"], feed["rows"]) == ("orders", "rejected", 3)
    assert state["published"]["generation"] == 1
    assert state["next_run"]["publishes"] is False
    assert (state["findings"], state["attention"], state["is_publishing_held"]) == ([], [], False)


def test_generations_and_quarantine_are_documents_for_programs(published):
    (one,) = json.loads(call(published, "generations", "--format", "json").output)["generations"]
    assert (one["generation"], one["is_current"], one["as_of"]) == (1, True, "2017-12-30")
    assert json.loads(call(published, "quarantine", "list", "--format", "json").output) == []
    feed = published.feeds / "orders.yml"
    feed.write_text(feed.read_text() + "max_quarantine_rate: 0.9\n")
    one_mart.deliver(published, "2017-12-31", one_mart.DAY_31 + "5,eve,yesterday,7.00\n")
    assert call(published, "load", "orders").exit_code == 0
    (row,) = json.loads(call(published, "quarantine", "list", "--format", "json").output)
    assert (row["feed"], row["file"], row["open_rows"]) == ("orders", "orders_2017-12-31.csv", 1)


def test_query_prints_csv(published):
    result = call(published, "query", "select count(*) as n from retention__customers", "--format", "csv")
    assert result.output == "n\n2\n"


def test_init_makes_a_workspace_that_the_doctor_finds(tmp_path):
    folder = tmp_path / "my shop"
    result = CliRunner().invoke(app, ["init", str(folder)])
    assert result.exit_code == 0
    example = folder / "dags" / "feeds" / "orders.yml.example"
    example.rename(example.with_suffix(""))
    (folder / "var/exports/orders_2026-01-31.csv").write_text(
        "OrderNumber,CustomerNumber,CreatedAt,Total,Type\n1,7,2026-01-30T10:00:00,9.50,\n"
    )
    settings = one_mart.load_settings(folder)
    assert "landed 1 row of" in call(settings, "load", "orders").output
    with pytest.raises(UserError, match="is not empty"):
        CliRunner().invoke(app, ["init", str(folder)], catch_exceptions=False)


def test_k6_the_survey_examples_of_a_new_workspace_read_a_survey(tmp_path):
    """One export with a column per question is a questionnaire and its four answers; the questions come with init."""
    folder = tmp_path / "my shop"
    CliRunner().invoke(app, ["init", str(folder)])
    for example in (folder / "dags" / "feeds").glob("survey_*.example"):
        example.rename(example.with_suffix(""))
    (folder / "var/exports/answers_2026-01-31.csv").write_text(
        "ResponseId,EndDate,Q1,Q2,Q3,Q4\nR1,2026-01-30T10:00:00,5,9,6,2\n"
    )
    settings = one_mart.load_settings(folder)
    landed = {"survey_responses": 1, "survey_answers": 4, "survey_questions": 4, "survey_paths": 2}
    for feed, rows in landed.items():
        assert f"landed {counted(rows, 'row')}" in call(settings, "load", feed).output


def test_quarantine_list_is_empty_words(published):
    assert call(published, "quarantine", "list").output == "no row is in quarantine\n"


def test_dev_copy_is_private_and_holds_core_and_marts(published):
    from loyalty.read.dev import dev_file

    result = call(published, "dev")
    assert "loyalty dev --build my_model" in result.output
    file = dev_file(published)
    assert file.stat().st_mode & 0o077 == 0
    assert one_mart.fetch(file, "select count(*) from core.fct_orders") == [(3,)]
    assert one_mart.fetch(file, "select count(*) from marts.retention__customers") == [(2,)]


def test_analysts_model_is_built_tested_and_after_the_next_run_published(published):
    from loyalty.operate.nightly import build_and_publish
    from loyalty.read.query import query

    models = published.dbt_project_dir / "models" / "marts"
    (models / "retention__days.sql").write_text(
        "select ordered_date as order_date, count(*) as order_count from {{ ref('fct_orders') }} group by ordered_date"
    )
    (models / "retention__days.yml").write_text(
        "version: 2\nmodels:\n  - name: retention__days\n    description: One row per day.\n"
        "    columns:\n      - {name: order_date, description: The day., data_tests: [unique]}\n"
    )
    result = call(published, "dev", "--build", "retention__days")
    assert "built 1 model and 1 test of `retention__days`" in result.output
    assert "compiled/tiny/models/marts/retention__days.sql; the first rows" in result.output
    assert "2017-12-29" in result.output
    assert "2017-12-30" in call(published, "dev", "--query", "from retention__days").output
    assert "kept with what you built in it" in call(published, "dev").output
    assert "2017-12-30" in call(published, "dev", "--query", "from retention__days").output
    with pytest.raises(UserError, match="does not exist"):
        call(published, "dev", "--fresh", "--query", "from retention__days")
    build_and_publish(opened(published), now=one_mart.NOW)
    assert len(query(published, "from retention__days")) == 3


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select 1 as order_date union all select 1", ["unique_retention__days_order_date", "n_records", "2"]),
        ("select ordered_date from {{ ref('fct_order') }}", ["fct_order", "did you mean `fct_orders`"]),
        ("select order_day as order_date from {{ ref('fct_orders') }}", ["order_day", "ordered_date"]),
    ],
)
def test_dbts_own_message_comes_whole_to_an_analyst(published, sql, found):
    models = published.dbt_project_dir / "models" / "marts"
    (models / "retention__days.sql").write_text(sql)
    (models / "retention__days.yml").write_text(
        "version: 2\nmodels:\n  - name: retention__days\n    description: One row per day.\n"
        "    columns:\n      - {name: order_date, description: The day., data_tests: [unique]}\n"
    )
    with pytest.raises(UserError) as error:
        call(published, "dev", "--build", "retention__days")
    assert [word for word in found if word not in str(error.value)] == []


@pytest.mark.parametrize("command", ["run", "build"])
def test_a_day_that_is_none_is_said_in_words(command):
    result = CliRunner().invoke(app, [command, "--as-of", "tomorrow"])
    assert result.exit_code == 2
    assert "`tomorrow` is not a day such as 2026-05-31." in result.output


def test_a_new_workspace_is_shown_what_to_do_and_nothing_is_green(tmp_path):
    CliRunner().invoke(app, ["init", str(tmp_path / "shop")])
    place = ["--workspace", str(tmp_path / "shop")]
    looked = CliRunner().invoke(app, [*place, "doctor"])
    assert (looked.exit_code, "take `.example` off the name" in looked.output) == (1, True)
    night = CliRunner().invoke(app, [*place, "run"])
    assert night.exit_code == 1
    assert "not published: No orders have been accepted yet" in night.output


def test_a_stop_from_outside_ends_a_run_in_one_sentence(tmp_path):
    settings = one_mart.make_workspace(tmp_path / "shop")
    run = subprocess.Popen(
        [sys.executable, "-c", "from loyalty.operate.cli.main import main; main()", "run"],
        env=os.environ | {"LOYALTY_WORKSPACE": str(settings.workspace), failpoints.VARIABLE: "hang:build.core_built"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    assert any(line.startswith("  before estimates:") for line in run.stdout)
    run.terminate()
    _, said = run.communicate()
    assert said == "loyalty: stopped; readers see what they saw; run the same command to continue.\n"
    assert run.returncode == 130
    assert failed_runs(Ledger(settings.ledger)) == [("build", "interrupted")]
