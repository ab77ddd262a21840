"""The other records of a person: merged ones (customer_links), and ones with the same e-mail address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from loyalty.common.workspace import Workspace
from loyalty.land.loads import landed_folder, parts_of, read_manifest
from loyalty.privacy.suppression import MOST_OF_ONE_PERSON, Forgotten, code_of

Node = tuple[Any, ...]  # ("record", source, id, whether the id is a hash), or ("address", hash)


def codes_of_same_person(workspace: Workspace, person: Forgotten, source: str | None) -> set[str]:
    """The codes of all records that are one person with those of `person`, of one source or of all.

    A merge that was undone leads nowhere, nor does an address of more customers than one person has.
    """
    near: dict[Node, set[Node]] = defaultdict(set)
    for one, other in (*_merges(workspace, source), *_addresses(workspace, source)):
        near[one].add(other)
        near[other].add(one)
    own = {node for node in near if node[0] == "record" and person.is_listed("customer", node[1], node[2])}
    reached, ahead = set(own), [*own]
    while ahead:
        node = ahead.pop()
        if node[0] == "address" and len(near[node]) > MOST_OF_ONE_PERSON:
            continue
        new = near[node] - reached
        reached |= new
        ahead += new
    return {code_of(person.key, node[1], node[2], node[3]) for node in reached - own if node[0] == "record"}


def _merges(workspace: Workspace, source: str | None) -> list[tuple[Node, Node]]:
    last: dict[tuple[Node, Node], Any] = {}
    for of_source, hashed, row in _rows(workspace, "customer_links", source):
        one, other = (("record", of_source, row[name], name in hashed) for name in ("customer_id", "into_customer_id"))
        last[one, other] = row.get("unlinked_at")
    return [pair for pair, unlinked_at in last.items() if unlinked_at is None]


def _addresses(workspace: Workspace, source: str | None) -> Iterator[tuple[Node, Node]]:
    for of_source, hashed, row in _rows(workspace, "customers", source):
        if row.get("email_hash"):
            yield ("record", of_source, row["customer_id"], "customer_id" in hashed), ("address", row["email_hash"])


def _rows(workspace: Workspace, feed: str, source: str | None) -> Iterator[tuple[str, list[str], dict[str, Any]]]:
    """Source, hashed ids and cells of each row of a feed's loads, oldest load first."""
    wanted = ("customer_id", "into_customer_id", "unlinked_at", "email_hash")
    for load in workspace.ledger.accepted_loads():
        if load.feed != feed or source not in (None, load.source):
            continue
        folder = landed_folder(workspace.settings, load)
        hashed = read_manifest(folder, load.feed_name).get("hashed_ids", [])
        for rows in parts_of(folder):
            for row in rows.select([name for name in wanted if name in rows.column_names]).to_pylist():
                yield load.source, hashed, row
