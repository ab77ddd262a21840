"""The plan says what changed since the published build, in words, and nothing when nothing did."""

from datetime import date

import duckdb
import pytest

from loyalty.build import plan
from loyalty.common.ledger import Ledger
from loyalty.land.landing import load_feed
from loyalty.publish.publish import publish
from loyalty.pull.feeds import get_feed
from worlds import one_mart
from worlds.opened import opened


def test_nothing_new_needs_nothing(published):
    made = plan.make_plan(opened(published))
    assert not made.is_needed
    assert made.reasons == ("no load, setting or code has changed since the published build",)


def test_finished_build_needs_publishing_only(built):
    made = plan.make_plan(opened(built))
    assert (made.needs_build, made.needs_publish) == (False, True)
    assert made.build_id == plan.last_build(Ledger(built.ledger)).data["build_id"]
    publish(opened(built), made.build_id, now=one_mart.NOW)
    assert not plan.make_plan(opened(built)).is_needed


@pytest.mark.parametrize("how", ["half built", "removed"])
def test_a_finished_build_that_is_gone_from_the_work_file_is_made_again(built, how):
    """A later build that was killed began over it, or somebody deleted the file: the next run must not get stuck."""
    if how == "removed":
        built.work_file.unlink()
    else:
        with duckdb.connect(str(built.work_file)) as work:
            work.execute("delete from meta.build")
    made = plan.make_plan(opened(built))
    assert (made.needs_build, made.needs_publish) == (True, True)
    assert "the work file does not hold it any more" in made.reasons[0]


def test_new_load_is_named_by_its_feed(published):
    one_mart.deliver(published, "2017-12-31", one_mart.DAY_31)
    one_mart.load(published)
    made = plan.make_plan(opened(published))
    assert made.needs_build
    assert made.reasons[0] == "1 new load of orders"
    assert [load.feed_name for load in made.new_loads] == ["orders"]
    assert not made.is_full


def test_earlier_version_delivered_again_is_new(waiting):
    """A, A', A: the first content is the newest again."""
    publish(opened(waiting), now=one_mart.NOW)
    assert not plan.make_plan(opened(waiting)).is_needed
    for content in (one_mart.DAY_31.replace("7.00", "8.00"), one_mart.DAY_31):
        one_mart.deliver(waiting, "2017-12-31", content)
        one_mart.load(waiting)
    assert plan.make_plan(opened(waiting)).reasons == ("2 new loads of orders",)


def test_changed_mapping_makes_everything_anew(published):
    feed = published.feeds / "orders.yml"
    feed.write_text(feed.read_text().replace("currency: EUR", "currency: USD"))
    load_feed(opened(published), get_feed(published.feeds, "orders"), again=True, now=one_mart.NOW)
    made = plan.make_plan(opened(published))
    assert made.is_full
    assert "a load was replaced by a reading with another mapping" in made.reasons


@pytest.mark.parametrize(
    ("place", "is_full"), [("intermediate/int_orders__current.sql", True), ("marts/retention__customers.sql", False)]
)
def test_changed_model_is_a_reason_and_a_remembering_one_starts_anew(published, place, is_full):
    model = published.dbt_project_dir / "models" / place
    model.write_text(model.read_text() + "\n-- changed\n")
    made = plan.make_plan(opened(published))
    assert made.reasons == ("the models or the code have changed",)
    assert made.is_full is is_full


def test_other_as_of_is_a_reason(published):
    assert not plan.make_plan(opened(published), date(2017, 12, 30)).is_needed
    assert plan.make_plan(opened(published), date(2017, 12, 1)).reasons == ("the last build was as of 2017-12-30",)


def test_without_orders_there_is_nothing_to_plan(tmp_path):
    settings = one_mart.make_workspace(tmp_path / "shop")
    made = plan.make_plan(opened(settings))
    assert not made.is_needed
    assert "no orders have been accepted yet" in made.reasons[0]
