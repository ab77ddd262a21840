"""Which models need not be made again: those that read nothing but feeds that were never delivered."""

from __future__ import annotations

from functools import cache
from typing import Any

import duckdb

from loyalty.build.dbt_runner import relation_of
from loyalty.build.plan import chosen_vars, code_version
from loyalty.common.ledger import Event
from loyalty.common.settings import Settings


def is_same_code(connection: duckdb.DuckDBPyConnection, settings: Settings, built: Event) -> bool:
    """Whether the work file is whole, and was made by the models and vars of now."""
    made_by = connection.execute("select code_version from meta.build").fetchall()
    return made_by == [(code_version(settings),)] and built.data.get("chosen", {}) == chosen_vars(settings)


def idle_models(connection: duckdb.DuckDBPyConnection, project: Any) -> set[str]:
    """Ids of models that are in the work file and would be made from the same empty feeds again.

    `project` is dbt's manifest; the loads must be registered. Whether the same code made them is `is_same_code`.
    """
    delivered = {feed for (feed,) in connection.execute("select distinct feed from raw.loads").fetchall()}
    made = set(connection.execute("select schema_name, table_name from duckdb_tables()").fetchall())
    return {one for one in _at_rest(project, delivered) if relation_of(project, one) in made}


def _at_rest(project: Any, delivered: set[str]) -> set[str]:
    """Ids of models all of whose sources are feeds without a load; staging asks `loads` for its own feed alone."""

    @cache
    def rests(name: str) -> bool:
        if name in project.sources:
            source = project.sources[name]
            return bool(source.source_name == "raw" and source.name in feeds - delivered)
        node = project.nodes[name]
        if node.resource_type == "seed":
            return True
        parents = project.parent_map[name]
        if node.fqn[1] == "staging":
            parents = [parent for parent in parents if not parent.endswith(".raw.loads")]
        return bool(parents) and all(rests(parent) for parent in parents)

    models = {name: node for name, node in project.nodes.items() if node.resource_type == "model"}
    feeds = {node.fqn[2] for node in models.values() if node.fqn[1] == "staging"}
    return {name for name in models if rests(name)}
