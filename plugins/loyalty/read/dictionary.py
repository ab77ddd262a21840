"""The documentation page of all marts and metrics, written from the descriptions in the dbt project.

`python -m loyalty.read.dictionary` writes docs/marts.md; a test holds the page equal to the project.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping

from loyalty.common.settings import shipped

HEAD = """# All marts and metrics

Written from the dbt project by `python -m loyalty.read.dictionary`. What the words mean is in [metrics.md](metrics.md),
figures worked by hand are in the pages named with each area; the list of metrics is
`quality.dq__metric_catalogue`.
"""

# The pages of docs/metrics that explain an area.
AREAS = {
    "retention": ("retention", "models"),
    "wallet": ("wallet",),
    "satisfaction": ("satisfaction", "complaints", "surveys"),
    "profitability": ("profitability",),
    "programme": ("programme",),
    "loyalty": ("loyalty", "claims"),
    "quality": ("models",),
}

# What tables are called where it is not the area.
PREFIXES = {"quality": "dq"}


def marts_page(descriptions: Mapping[str, str], register: Iterable[Mapping[str, str]]) -> str:
    """The page as Markdown, from each mart's description by name and the rows of the metric register."""
    lines = [HEAD]
    for area, pages in AREAS.items():
        links = ", ".join(f"[metrics/{page}.md](metrics/{page}.md)" for page in pages)
        lines += [f"## {area.capitalize()}", "", f"Explained in {links}.", "", "| mart | holds |", "|---|---|"]
        names = sorted(name for name in descriptions if name.startswith(f"{PREFIXES.get(area, area)}__"))
        lines += [*(f"| `{name}` | {_plain(descriptions[name])} |" for name in names), ""]
    lines += ["## Metrics by id", "", "| id | metric | 指标 | where, or why not |", "|---|---|---|---|"]
    for row in register:
        place = f"`{row['model']}.{row['column']}`" if row["model"] else row["reason"]
        lines.append(f"| {row['id']} | {_plain(row['name_en'])} | {_plain(row['name_zh'])} | {_plain(place)} |")
    return "\n".join(lines) + "\n"


def read_register() -> list[dict[str, str]]:
    """The rows of the metric register, in their order."""
    file = shipped("dbt_project") / "seeds" / "reference" / "metric_catalogue.csv"
    with file.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write the page from the manifest of the last `dbt parse`."""
    project = shipped("dbt_project")
    parsed = project / "target" / "manifest.json"
    if not parsed.exists():
        raise SystemExit("the dbt project has not been read yet: run `make lint`, which parses it, then this again")
    manifest = json.loads(parsed.read_text(encoding="utf-8"))
    descriptions = {
        node["name"]: node["description"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] in ("marts", "quality")
    }
    page = project.parent / "docs" / "marts.md"
    page.write_text(marts_page(descriptions, read_register()), encoding="utf-8")
    print(f"{page} describes {len(descriptions)} marts.")


if __name__ == "__main__":
    main()
