"""Steps over a folder of one_mart.py that a process of its own can import, and what readers see afterwards."""

from loyalty.build import build
from loyalty.land.landing import load_feed
from loyalty.operate.nightly import build_and_publish
from loyalty.publish.generations import current_generation
from loyalty.publish.publish import publish
from loyalty.pull.feeds import get_feed
from worlds import one_mart
from worlds.opened import opened

CUSTOMERS = "select * from marts.retention__customers order by customer_id"
TWO = [("ann", 2), ("bob", 1)]
THREE = [("ann", 2), ("bob", 1), ("eve", 1)]


def load_in(folder, again=False):
    settings = one_mart.load_settings(folder)
    load_feed(opened(settings), get_feed(settings.feeds, "orders"), again=again, now=one_mart.NOW)


def build_in(folder):
    build.build(opened(one_mart.load_settings(folder)))


def publish_in(folder):
    publish(opened(one_mart.load_settings(folder)), now=one_mart.NOW)


def night_in(folder):
    build_and_publish(opened(one_mart.load_settings(folder)), now=one_mart.NOW)


def seen(settings):
    return [row[:2] for row in one_mart.published(settings, CUSTOMERS)]


def checksums(settings):
    return current_generation(settings).manifest["marts"]
