"""`loyalty query` reads the published marts and can do nothing else."""

import json

import pytest

import tiny
from loyalty.errors import UserError
from loyalty.query import Answer, query, render

pytest_plugins = ("tiny_fixtures",)


def test_marts_need_no_schema_name(published):
    answer = query(published, "select customer_id, net_amount from retention__customers order by customer_id")
    assert answer.columns == ("customer_id", "net_amount")
    assert [row[0] for row in answer.rows] == ["ann", "bob"]


@pytest.mark.parametrize(
    "sql", ["show all tables", "describe retention__customers", "explain select 1", "from retention__customers"]
)
def test_questions_of_every_kind_are_answered(published, sql):
    assert query(published, sql).rows


@pytest.mark.parametrize(
    "sql",
    [
        "create table mine as select 1",
        "drop table retention__customers",
        "update retention__customers set orders_count = 0",
        "copy retention__customers to '/tmp/stolen.csv'",
        "attach '/tmp/other.duckdb'",
        "install httpfs",
        "set enable_external_access = true",
        "select 1; select 2",
        "",
    ],
)
def test_whatever_is_no_question_is_refused(published, sql):
    with pytest.raises(UserError, match="one statement that reads"):
        query(published, sql)


def test_files_outside_cannot_be_read(published):
    with pytest.raises(UserError, match="disabled"):
        query(published, "select * from read_csv('/etc/passwd')")


def test_wrong_name_is_answered_in_duckdbs_words(published):
    with pytest.raises(UserError, match='Did you mean "retention__customers"'):
        query(published, "select * from retention__customer")


def test_nothing_published_is_one_sentence(built):
    with pytest.raises(UserError, match="Nothing has been published yet"):
        query(built, "select 1")


def test_csv_is_safe_in_a_spreadsheet():
    answer = Answer(("=name", "amount"), [("=1+1", -5.5), ("@cmd", None), ("-3", 2), ("a,b", 1)])
    assert render(answer, "csv") == "'=name,amount\n'=1+1,-5.5\n'@cmd,\n-3,2\n\"a,b\",1\n"


def test_json_keeps_decimals_as_numbers(published):
    text = render(
        query(published, "select customer_id, net_amount, null as n from retention__customers order by 1"), "json"
    )
    assert json.loads(text)[0] == {"customer_id": "ann", "net_amount": 30.5, "n": None}


def test_table_aligns_numbers_and_shows_null():
    answer = Answer(("who", "n"), [("ann", 1), (None, 20)])
    assert render(answer, "table") == "who   n\n---  --\nann   1\n-    20\n"


def test_query_reads_the_generation_behind_the_link(waiting):
    assert (
        tiny.published(waiting, "select count(*) from marts.retention__customers")
        == query(waiting, "select count(*) from retention__customers").rows
    )


def test_two_columns_of_one_name_are_refused_in_json_instead_of_one_being_lost():
    with pytest.raises(UserError, match="Two columns are called `n`"):
        render(Answer(("n", "n"), [(1, 2)]), "json")
    assert render(Answer(("n", "n"), [(1, 2)]), "csv") == "n,n\n1,2\n"


def test_json_is_json_also_where_numbers_are_none(published):
    sql = "select 'nan'::double as a, ['inf'::double, 1.5] as b, map {date '2026-01-02': 1} as c"
    answer = render(query(published, sql), "json")
    assert json.loads(answer, parse_constant=pytest.fail) == [{"a": None, "b": [None, 1.5], "c": {"2026-01-02": 1}}]


def test_a_plan_is_shown_whole(published):
    lines = render(query(published, "explain select count(*) from retention__customers"), "table").splitlines()
    assert len(lines) > 5
    assert not any(line.endswith("...") for line in lines)
