"""A fault stays in its topic: what fails is kept as readers have it, or empty with its reason; all else goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from loyalty.build.build import build
from loyalty.common.settings import Settings
from loyalty.operate import nightly
from loyalty.operate.status import attention
from loyalty.publish.generations import current_generation
from loyalty.publish.publish import publish
from worlds import one_mart
from worlds.opened import opened

MONTHS = """
select order_month, sum(total_amount) as net_amount
from (select *, cast(date_trunc('month', ordered_date) as date) as order_month from {{ ref("fct_orders") }}) as orders
group by order_month
"""
MONTHS_YML = """
version: 2
models:
  - name: wallet__months
    description: One row per month.
    columns:
      - {name: order_month, description: Month of the orders., data_type: date}
      - {name: net_amount, description: What was paid., data_type: "decimal(38,4)", data_tests: [not_null]}
"""
STATES = (
    "select mart, state, cast(as_of_date as varchar), since_at is not null, reason from quality.dq__marts order by mart"
)
BROKEN = "select error('the model meets a row that it cannot take') as order_month, 1 as net_amount"

LARGE = "select date '2017-12-01' as order_month, kept as net_amount from ({rows}) as large"


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    """The shop with two marts."""
    settings = one_mart.make_workspace(tmp_path / "shop")
    marts = settings.dbt_project_dir / "models" / "marts"
    (marts / "wallet__months.sql").write_text(MONTHS)
    (marts / "wallet__months.yml").write_text(MONTHS_YML)
    return settings


def night(settings: Settings, said: list[str] | None = None) -> int:
    lines: list[str] = [] if said is None else said
    return nightly.run_nightly(opened(settings, lines.append), now=one_mart.NOW)


def months(settings: Settings) -> Path:
    return settings.dbt_project_dir / "models" / "marts" / "wallet__months.sql"


def sums(settings: Settings, mart: str) -> list[tuple]:
    return one_mart.published(settings, f"select sum(net_amount) from marts.{mart}")


def test_a_failed_mart_is_kept_until_it_is_corrected_and_the_others_are_renewed(shop: Settings) -> None:
    assert night(shop) == nightly.CLEAN
    one_mart.deliver(shop, "2017-12-31", one_mart.DAY_31)
    months(shop).write_text(BROKEN)
    said: list[str] = []
    assert night(shop, said) == nightly.WITH_REJECTS
    assert any("not renewed since" in line and "wallet__months" in line and "cannot take" in line for line in said)
    assert sums(shop, "retention__customers") == [(43.5,)]
    assert sums(shop, "wallet__months") == [(35.5,)]
    fresh, kept = one_mart.published(shop, STATES)
    assert fresh == ("retention__customers", "fresh", "2017-12-31", False, None)
    assert kept[:4] == ("wallet__months", "kept", "2017-12-30", True)
    assert "wallet__months" in kept[4] and "cannot take" in kept[4]
    assert any("wallet__months" in one for one in attention(opened(shop), []))
    assert night(shop) == nightly.WITH_REJECTS, "it is still not corrected"
    months(shop).write_text(MONTHS)
    assert night(shop) == nightly.CLEAN
    assert sums(shop, "wallet__months") == [(43.5,)]
    assert [row[1] for row in one_mart.published(shop, STATES)] == ["fresh", "fresh"]


def test_without_an_earlier_generation_it_is_empty_typed_and_says_why(shop: Settings) -> None:
    months(shop).write_text(BROKEN)
    assert night(shop) == nightly.WITH_REJECTS
    assert one_mart.published(shop, "select * from marts.wallet__months") == []
    types = "select column_name, data_type from duckdb_columns() where table_name = 'wallet__months' order by 1"
    assert one_mart.published(shop, types) == [("net_amount", "DECIMAL(38,4)"), ("order_month", "DATE")]
    assert one_mart.published(shop, STATES)[1][:4] == ("wallet__months", "withheld", None, True)


def test_a_mart_whose_test_fails_is_kept(shop: Settings) -> None:
    assert night(shop) == nightly.CLEAN
    one_mart.deliver(shop, "2017-12-31", one_mart.DAY_31)
    months(shop).write_text(MONTHS.replace("sum(total_amount)", "cast(null as decimal(38, 4))"))
    assert night(shop) == nightly.WITH_REJECTS
    assert sums(shop, "wallet__months") == [(35.5,)]
    assert "not_null" in one_mart.published(shop, STATES)[1][4]


def test_since_and_reason_stay_while_a_mart_is_kept(shop: Settings) -> None:
    assert night(shop) == nightly.CLEAN
    months(shop).write_text(BROKEN)
    assert night(shop) == nightly.WITH_REJECTS
    since = "select since_at from quality.dq__marts where mart = 'wallet__months'"
    first = one_mart.published(shop, since)
    one_mart.deliver(shop, "2017-12-31", one_mart.DAY_31)
    assert night(shop) == nightly.WITH_REJECTS
    assert one_mart.published(shop, since) == first


def test_what_reads_a_failed_core_model_is_withheld_and_no_more(shop: Settings) -> None:
    core = shop.dbt_project_dir / "models" / "core"
    (core / "dim_months.sql").write_text(BROKEN)
    months(shop).write_text('select * from {{ ref("dim_months") }}')
    assert night(shop) == nightly.WITH_REJECTS
    assert [row[:2] for row in one_mart.published(shop, STATES)] == [
        ("retention__customers", "fresh"),
        ("wallet__months", "withheld"),
    ]
    assert "dim_months" in one_mart.published(shop, STATES)[1][4]


def test_totals_of_core_that_differ_from_the_exports_hold_everything(shop: Settings) -> None:
    assert night(shop) == nightly.CLEAN
    core = shop.dbt_project_dir / "models" / "core"
    tests = shop.dbt_project_dir / "macros"
    shutil.copy(Path(__file__).parents[2] / "dbt_project" / "tests" / "generic" / "reconcile_total.sql", tests)
    arguments = "{expression: total_amount, to: ref('int_orders__current'), to_expression: total_amount + 1}"
    test = f"{{reconcile_total: {{arguments: {arguments}}}}}"
    (core / "core.yml").write_text(f"version: 2\nmodels: [{{name: fct_orders, data_tests: [{test}]}}]\n")
    one_mart.deliver(shop, "2017-12-31", one_mart.DAY_31)
    said: list[str] = []
    assert night(shop, said) == nightly.NOT_PUBLISHED
    assert any("not published" in line and "reconcile_total" in line for line in said)
    assert sums(shop, "retention__customers") == [(35.5,)]


def test_when_no_mart_is_left_nothing_is_published(shop: Settings) -> None:
    (shop.dbt_project_dir / "models" / "core" / "fct_orders.sql").write_text(BROKEN)
    said: list[str] = []
    assert night(shop, said) == nightly.NOT_PUBLISHED
    assert any("No mart could be made" in line for line in said)
    assert current_generation(shop) is None


def test_a_person_who_was_forgotten_is_not_kept_with_a_mart(shop: Settings) -> None:
    assert night(shop) == nightly.CLEAN
    months(shop).write_text(BROKEN)
    workspace = opened(shop)
    result = build(workspace)
    assert [one.name for one in result.withheld] == ["wallet__months"]
    generation = publish(workspace, result.build_id, now=one_mart.NOW, urgent=True)
    assert generation is not None
    assert one_mart.published(shop, "select count(*) from marts.wallet__months") == [(0,)]


@pytest.mark.parametrize(
    ("rows", "setting", "remedy"),
    [
        (
            "select list(i) as kept from range(30000000) as numbers(i)",
            "select 1",
            "raise `memory_limit` in loyalty.yml",
        ),
        (
            "select i as kept from range(30000000) as numbers(i) order by hash(i)",
            "set max_temp_directory_size = '1MB'",
            "make room on the disk of `home`",
        ),
    ],
)
def test_a_model_that_needs_more_memory_or_disk_than_there_is_says_what_to_do(
    shop: Settings, rows: str, setting: str, remedy: str
) -> None:
    (shop.workspace / "loyalty.yml").write_text("dbt_project: project\nmemory_limit: 60MB\n")
    months(shop).write_text(f'{{{{ config(pre_hook="{setting}") }}}} {LARGE.format(rows=rows)}')
    said: list[str] = []
    assert night(one_mart.load_settings(shop.workspace), said) == nightly.WITH_REJECTS
    assert any("dbt model `wallet__months` failed" in line and remedy in line for line in said), said
