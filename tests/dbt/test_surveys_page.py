"""docs/surveys.md has every role of a question, its construct, and marts that read it."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from loyalty.common.settings import shipped
from loyalty.land.closed_lists import allowed_values
from loyalty.land.gate import load_suite
from loyalty.pull.contract import load_contract
from worlds.warehouse import PROJECT, project

PAGE = Path(__file__).parents[2] / "docs" / "surveys.md"
# The answers of people, and what is fitted on them: a mart of a role must come after one of these.
READS_ANSWERS = {
    "model.loyalty.fct_survey_answers",
    "model.loyalty.fct_survey_scores",
    "source.loyalty.estimates.survey_structure",
}


def _rows(heading: str) -> list[list[str]]:
    section = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


ROLES = {row[0].strip("`"): row for row in _rows("Roles")}


def test_k6_the_page_has_every_role_and_no_other() -> None:
    suite = load_suite(shipped("expectations"), "survey_questions")
    roles = allowed_values(next(rule for rule in suite.rows if rule.name == "role_known"))
    assert sorted(ROLES) == sorted(roles), "edit the table of roles in docs/surveys.md"


def test_k6_every_role_that_a_model_names_is_on_the_page() -> None:
    """Roles are written in quotes after the word role, and in the lists of the models that read many."""
    heads = {role.partition(":")[0] for role in ROLES}
    text = "\n".join(file.read_text(encoding="utf-8") for file in (PROJECT / "models").rglob("*.sql"))
    named = re.findall(r"(?<!account_)(?<!customers\.)\brole (?:=|<>|like) '([a-z_:%]+)'", text)
    unknown = {role.partition(":")[0] for role in named} - heads - {"user", "payer", "member"}
    assert unknown == set(), "a model reads a role that docs/surveys.md does not have"


def test_k6_constructs_are_those_of_the_path_model() -> None:
    with (PROJECT / "seeds" / "reference" / "survey_constructs.csv").open(encoding="utf-8", newline="") as file:
        constructs = {row["role"]: row["construct"] for row in csv.DictReader(file)}
    shown = {role.removesuffix(":*"): row[2] for role, row in ROLES.items() if row[2]}
    assert shown == constructs, "edit the constructs in docs/surveys.md"


@pytest.mark.parametrize("role", [role for role, row in ROLES.items() if row[3]])
def test_k6_the_marts_of_a_role_read_answers(role: str) -> None:
    manifest = project()
    for mart in re.findall(r"`(\w+)`", ROLES[role][3]):
        node = f"model.loyalty.{mart}"
        assert node in manifest.nodes, f"docs/surveys.md: there is no mart {mart}"
        seen, ahead = set(), [node]
        while ahead:
            one = ahead.pop()
            if one not in seen:
                seen.add(one)
                ahead += manifest.nodes[one].depends_on_nodes if one in manifest.nodes else []
        assert seen & READS_ANSWERS, f"docs/surveys.md: {mart} reads no answers"


def test_k6_the_page_has_every_column_of_a_question() -> None:
    columns = {name for row in _rows("A question") for name in re.findall(r"`(\w+)`", row[0])}
    assert columns == set(load_contract()["survey_questions"].columns)
