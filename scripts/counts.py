"""Counts that show how easy it is to find something in the project: `.venv/bin/python scripts/counts.py`.

The tests hold those of the numbers that must be 0.
"""

from __future__ import annotations

import ast
import json
import statistics
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

ROOT = Path(__file__).parents[1]
# The order of the rooms: each imports only those before it. The demo writes exports and needs `common` alone.
ROOMS = ("common", "pull", "privacy", "land", "build", "publish", "read", "operate")
DEMO = "demo"


def modules(package: Path) -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    return {
        ".".join(file.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__"): file
        for file in sorted(package.rglob("*.py"))
    }


def imports(package: Path) -> Iterator[tuple[str, str]]:
    """Every import of one module of the package by another, also those inside of functions."""
    known = modules(package)
    for name, file in known.items():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in known:
                submodules = [f"{node.module}.{alias.name}" for alias in node.names]
                yield from ((name, one if one in known else node.module) for one in submodules)
            elif isinstance(node, ast.Import):
                yield from ((name, alias.name) for alias in node.names if alias.name in known)


def room(module: str) -> str:
    """The room of a module; empty for the package itself."""
    return module.split(".")[1] if "." in module else ""


def backward_imports(package: Path) -> list[str]:
    """Imports that go from a room to a later one, as `importer -> imported`."""

    def is_backward(importer: str, imported: str) -> bool:
        here, there = room(importer), room(imported)
        if here == there or not there:
            return False
        if here == DEMO:
            return there != "common"
        return (there != DEMO and ROOMS.index(there) > ROOMS.index(here)) or (there == DEMO and here != "operate")

    return sorted({f"{one} -> {other}" for one, other in imports(package) if is_backward(one, other)})


def import_circles(package: Path) -> list[str]:
    """Modules that reach themselves by imports; `__init__` counts only where it imports something."""
    graph: dict[str, set[str]] = {}
    for one, other in imports(package):
        graph.setdefault(one, set()).add(other)

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        todo = list(graph.get(start, ()))
        while todo:
            module = todo.pop()
            if module not in seen:
                seen.add(module)
                todo += graph.get(module, ())
        return seen

    return sorted(module for module in graph if module in reached(module))


def ledger_openings(package: Path) -> list[str]:
    """The modules that open the ledger; one does, and the open workspace is passed on from there."""
    return [name for name, file in modules(package).items() if "Ledger(" in file.read_text(encoding="utf-8")]


def median_subject_length() -> int:
    """The median length of the subjects of the last hundred commits."""
    log = subprocess.run(["git", "log", "-100", "--format=%s"], cwd=ROOT, capture_output=True, text=True, check=True)
    return int(statistics.median(map(len, log.stdout.splitlines())))


class DbtProject:
    """The models of the dbt project, from the manifest that `make lint` writes."""

    def __init__(self, manifest: dict[str, Any]) -> None:
        self.models = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
        self.unit_tests = list(manifest["unit_tests"].values())
        self.parents = {
            key: [parent for parent in node["depends_on"]["nodes"] if parent in self.models]
            for key, node in self.models.items()
        }
        self.readers: dict[str, list[str]] = {key: [] for key in self.models}
        for key, parents in self.parents.items():
            for parent in parents:
                self.readers[parent].append(key)
        self.depth = cache(self._depth)
        self.topics = cache(self._topics)

    def folder(self, key: str) -> tuple[str, ...]:
        """The folders of a model below `models/`."""
        return Path(self.models[key]["original_file_path"]).parts[1:-1]

    def core(self) -> list[str]:
        """The models of core, without the steps between them."""
        return [key for key in self.models if self.folder(key)[0] == "core" and "steps" not in self.folder(key)]

    def marts(self) -> list[str]:
        """The marts, without their steps."""
        return [key for key in self.models if self.folder(key)[0] == "marts" and "steps" not in self.folder(key)]

    def serving_one_topic(self) -> list[str]:
        """Models of core from which the marts of one topic alone are reached."""
        return sorted(self.models[key]["name"] for key in self.core() if len(self.topics(key)) < 2)

    def unit_tests_elsewhere(self) -> list[str]:
        """Unit tests that are not in the yml beside their model."""
        files = {node["name"]: Path(node["original_file_path"]).with_suffix(".yml") for node in self.models.values()}
        return sorted(
            test["name"] for test in self.unit_tests if Path(test["original_file_path"]) != files[test["model"]]
        )

    def undescribed_columns(self, work_file: Path) -> list[str]:
        """Columns of core, as they are in a work file, that no yml describes.

        Columns `x_...` come from an export as they are; only its owner can say what they mean.
        """
        described = {
            (self.models[key]["name"], column["name"])
            for key in self.core()
            for column in self.models[key]["columns"].values()
            if column["description"]
        }
        names = [self.models[key]["name"] for key in self.core()]
        with duckdb.connect(str(work_file), read_only=True) as connection:
            found = connection.execute(
                "select table_name, column_name from duckdb_columns() "
                "where schema_name = 'core' and list_contains(?, table_name) and not starts_with(column_name, 'x_') "
                "order by all",
                [names],
            ).fetchall()
        return [f"{table}.{column}" for table, column in found if (table, column) not in described]

    def _depth(self, key: str) -> int:
        return 1 + max((self.depth(parent) for parent in self.parents[key]), default=0)

    def _topics(self, key: str) -> frozenset[str]:
        own = {self.folder(key)[1]} if self.folder(key)[0] == "marts" else set()
        return frozenset(own.union(*(self.topics(reader) for reader in self.readers[key])))


def print_dbt() -> None:
    """Print the counts of the dbt project."""
    manifest = ROOT / "dbt_project" / "target" / "manifest.json"
    if not manifest.exists():
        print("models: unknown, because the dbt project has not been parsed; run `make lint` first")
        return
    dbt = DbtProject(json.loads(manifest.read_text(encoding="utf-8")))
    print(f"models: {len(dbt.models)}")
    print(f"longest chain of models: {max(map(dbt.depth, dbt.models))}")
    print(f"median depth of a mart: {statistics.median(map(dbt.depth, dbt.marts())):g}")
    print(f"models of core: {len(dbt.core())}")
    print(f"models of core that serve one topic only: {len(dbt.serving_one_topic())}")
    print(f"unit tests away from their model: {len(dbt.unit_tests_elsewhere())} of {len(dbt.unit_tests)}")
    work_file = ROOT / "var" / "work" / "loyalty_work.duckdb"
    if work_file.exists():
        print(f"columns of core without a description: {len(dbt.undescribed_columns(work_file))}")
    else:
        print("columns of core without a description: unknown, because there is no work file; run `make demo` first")


def main() -> None:
    """Print every count."""
    package = ROOT / "plugins" / "loyalty"
    print(f"backward import edges: {len(backward_imports(package))}")
    print(f"modules in an import circle: {len(import_circles(package))}")
    print(f"modules that open the ledger: {len(ledger_openings(package))}")
    print(f"median length of a commit subject: {median_subject_length()}")
    print_dbt()


if __name__ == "__main__":
    main()
