"""Models of feeds that were never delivered stay as they are; all others are made again."""

from __future__ import annotations

from types import SimpleNamespace

from loyalty.build.idle import _at_rest

SOURCES = {
    f"source.p.raw.{name}": SimpleNamespace(source_name="raw", name=name)
    for name in ("orders", "tickets", "loads", "build")
}
SOURCES["source.p.estimates.fit"] = SimpleNamespace(source_name="estimates", name="fit")


def _manifest(parents: dict[str, list[str]]) -> SimpleNamespace:
    """A manifest of models by folder and name, and of what each reads."""

    def node(place: str) -> SimpleNamespace:
        kind = "seed" if place.startswith("seeds") else "model"
        return SimpleNamespace(resource_type=kind, fqn=["p", *place.split("/")])

    return SimpleNamespace(sources=SOURCES, nodes={place: node(place) for place in parents}, parent_map=parents)


STAGING = {
    "staging/orders/stg_orders": ["source.p.raw.orders", "source.p.raw.loads"],
    "staging/tickets/stg_tickets": ["source.p.raw.tickets", "source.p.raw.loads"],
    "seeds/words": [],
}


def _resting(delivered: set[str], **reads: list[str]) -> set[str]:
    manifest = _manifest(STAGING | {f"core/{name}": parents for name, parents in reads.items()})
    return {place.rpartition("/")[2] for place in _at_rest(manifest, delivered)}


def test_what_reads_feeds_without_a_load_rests() -> None:
    assert _resting(
        {"orders"},
        fct_tickets=["staging/tickets/stg_tickets", "seeds/words"],
        fct_ticket_sums=["core/fct_tickets"],
        fct_both=["core/fct_tickets", "staging/orders/stg_orders"],
    ) == {"stg_tickets", "fct_tickets", "fct_ticket_sums"}


def test_a_first_load_wakes_all_that_reads_the_feed() -> None:
    assert _resting({"orders", "tickets"}, fct_tickets=["staging/tickets/stg_tickets"]) == set()


def test_what_asks_for_all_loads_the_day_or_a_fit_never_rests() -> None:
    stranger = {"loads": "source.p.raw.loads", "day": "source.p.raw.build", "fit": "source.p.estimates.fit"}
    reads = {name: ["staging/tickets/stg_tickets", source] for name, source in stranger.items()}
    assert _resting({"orders"}, **reads, constant=[]) == {"stg_tickets"}
