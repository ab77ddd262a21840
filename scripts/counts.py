"""How easy the project is to find one's way in, in numbers: `.venv/bin/python scripts/counts.py`.

The tests hold those of the numbers that must be 0.
"""

from __future__ import annotations

import ast
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

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


def main() -> None:
    """Print every count."""
    package = ROOT / "plugins" / "loyalty"
    print(f"backward import edges: {len(backward_imports(package))}")
    print(f"modules in an import circle: {len(import_circles(package))}")
    print(f"modules that open the ledger: {len(ledger_openings(package))}")
    print(f"median length of a commit subject: {median_subject_length()}")


if __name__ == "__main__":
    main()
