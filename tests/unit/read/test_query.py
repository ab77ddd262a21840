"""`loyalty query` reads the published marts and can do nothing else."""

import io
import json

import pytest

from loyalty.common.errors import UserError
from loyalty.read.query import LONGEST_TABLE, ROWS_AT_ONCE, Answer, asked, query, write
from worlds import one_mart


def written(answer, style):
    text = io.StringIO()
    write(answer, style, text)
    return text.getvalue()


def asked_for(settings, sql, style):
    with asked(settings, sql) as answer:
        return written(answer, style)


def test_marts_need_no_schema_name(published):
    with asked(published, "select customer_id, net_amount from retention__customers order by customer_id") as answer:
        assert answer.columns == ("customer_id", "net_amount")
        assert [row[0] for row in answer.rows] == ["ann", "bob"]


@pytest.mark.parametrize(
    "sql", ["show all tables", "describe retention__customers", "explain select 1", "from retention__customers"]
)
def test_questions_of_every_kind_are_answered(published, sql):
    assert query(published, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "create table mine as select 1",
        "drop table retention__customers",
        "update retention__customers set orders_count = 0",
        "copy retention__customers to '/tmp/stolen.csv'",
        "attach '/tmp/other.duckdb'",
        "install httpfs",
        "pragma enable_profiling",
        "export database '/tmp/stolen'",
        "with x as (select 1) insert into retention__customers select * from x",
        "set enable_external_access = true",
        "select 1; select 2",
        "",
    ],
)
def test_whatever_is_no_question_is_refused(published, sql):
    with pytest.raises(UserError, match="one statement that reads"):
        query(published, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from glob('/etc/*')",
        "select * from duckdb_secrets()",
        "select * from duckdb_settings()",
        "from enable_logging()",
        "explain from enable_logging()",
        "explain analyze select (select count(*) from enable_logging())",
        "with a as (from enable_logging()) select * from a",
        "select 1 where exists (from truncate_duckdb_logs())",
        "from query('select 1')",
        "select write_log('x')",
    ],
)
def test_functions_that_do_more_than_read_the_marts_are_not_run(published, sql):
    with pytest.raises(UserError, match="does not run the function"):
        query(published, sql)


@pytest.mark.parametrize("sql", ["select * from '/etc/passwd'", "from '/etc/hosts.csv'"])
def test_files_outside_cannot_be_read(published, sql):
    with pytest.raises(UserError, match="disabled|does not exist"):
        query(published, sql)


def test_nothing_is_explained_but_a_question(published):
    with pytest.raises(UserError, match="explain of these"):
        query(published, "explain analyze copy (select 1) to '/tmp/stolen.csv'")


def test_a_question_without_an_end_is_stopped(published):
    with (
        pytest.raises(UserError, match="longer than 0.2 seconds"),
        asked(published, "select sum(a.range * b.range) from range(10000000) a, range(10000000) b", 0.2) as answer,
    ):
        list(answer.rows)


def test_a_question_that_needs_more_memory_than_there_is_ends_in_a_sentence(published):
    small = published.model_copy(update={"memory_limit": "20MB"})
    with pytest.raises(UserError, match="memory|Memory"):
        query(small, "select list(range) from range(50000000)")


def test_rows_are_made_by_range(published):
    assert query(published, "select count(*) from range(3)") == [(3,)]


def test_wrong_name_is_answered_in_duckdbs_words(published):
    with pytest.raises(UserError, match='Did you mean "retention__customers"'):
        query(published, "select * from retention__customer")


def test_a_question_about_core_is_sent_to_the_analysts_copy(published):
    with pytest.raises(UserError, match='schema "core" does not exist.* `loyalty dev --query'):
        query(published, "select * from core.fct_orders")


def test_nothing_published_is_one_sentence(built):
    with pytest.raises(UserError, match="Nothing has been published yet"):
        query(built, "select 1")


def test_csv_is_safe_in_a_spreadsheet():
    answer = Answer(("=name", "amount"), [("=1+1", -5.5), ("@cmd", None), ("-3", 2), ("a,b", 1)])
    assert written(answer, "csv") == "'=name,amount\n'=1+1,-5.5\n'@cmd,\n-3,2\n\"a,b\",1\n"


def test_json_keeps_decimals_as_numbers(published):
    sql = "select customer_id, net_amount, null as n from retention__customers order by 1"
    text = asked_for(published, sql, "json")
    assert json.loads(text)[0] == {"customer_id": "ann", "net_amount": 30.5, "n": None}


def test_table_aligns_numbers_and_shows_null():
    answer = Answer(("who", "n"), [("ann", 1), (None, 20)])
    assert written(answer, "table") == "who   n\n---  --\nann   1\n-    20\n"


def test_table_shows_what_a_terminal_would_obey():
    answer = Answer(("a",), [("\x1b[31mred",), ("\u202efdp.exe",), ("比较\u3000满意",)])
    assert written(answer, "table").splitlines()[2:] == ["\\x1b[31mred", "\\u202efdp.exe", "比较\u3000满意"]


def test_query_reads_the_generation_behind_the_link(waiting):
    assert one_mart.published(waiting, "select count(*) from marts.retention__customers") == query(
        waiting, "select count(*) from retention__customers"
    )


def test_two_columns_of_one_name_are_refused_in_json_instead_of_one_being_lost():
    with pytest.raises(UserError, match="Two columns are called `n`"):
        written(Answer(("n", "n"), [(1, 2)]), "json")
    assert written(Answer(("n", "n"), [(1, 2)]), "csv") == "n,n\n1,2\n"


def test_json_is_json_also_where_numbers_are_none(published):
    sql = "select 'nan'::double as a, ['inf'::double, 1.5] as b, map {date '2026-01-02': 1} as c"
    answer = asked_for(published, sql, "json")
    assert json.loads(answer, parse_constant=pytest.fail) == [{"a": None, "b": [None, 1.5], "c": {"2026-01-02": 1}}]


def test_a_plan_is_shown_whole(published):
    lines = asked_for(published, "explain select count(*) from retention__customers", "table").splitlines()
    assert len(lines) > 5
    assert not any(line.endswith("...") for line in lines)


def test_rows_are_written_as_they_come_and_a_table_says_where_it_stops(published):
    sql = f"select range as n from range({3 * ROWS_AT_ONCE})"
    with asked(published, sql) as answer:
        rows = iter(answer.rows)
        assert written(Answer(answer.columns, (next(rows) for _ in range(2))), "csv") == "n\n0\n1\n"
        assert next(rows) == (2,)  # the rest was not read
    assert [row["n"] for row in json.loads(asked_for(published, sql, "json"))] == list(range(3 * ROWS_AT_ONCE))
    assert asked_for(published, sql, "csv").splitlines()[-1] == str(3 * ROWS_AT_ONCE - 1)
    lines = asked_for(published, sql, "table").splitlines()
    assert lines[-2].strip() == str(LONGEST_TABLE - 1)
    assert lines[-1] == "These are the first 1,000 rows; `--format csv` or `--format json` writes all."
    assert "These are" not in asked_for(published, f"from range({LONGEST_TABLE})", "table")


def test_no_rows_are_an_empty_list_in_json(published):
    assert asked_for(published, "select 1 as n where false", "json") == "[]\n"
