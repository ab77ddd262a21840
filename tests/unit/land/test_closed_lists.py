"""A word that is not in a closed list is answered with the list, and in a file of meanings with the nearest word."""

import pytest

from loyalty.common.settings import shipped
from loyalty.land.closed_lists import allowed_values
from loyalty.land.gate import load_suite
from loyalty.land.landing import load_feed
from worlds.opened import opened

QUESTIONS = ["survey_id,question_code,role,scale_min,scale_max"] + [
    f"club,Q{number},dimension:item {number},1,5" for number in range(1, 30)
]


def land_questions(workspace, *lines):
    (workspace.folder / "expectations" / "survey_questions.yml").write_text(
        (shipped("expectations") / "survey_questions.yml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    feed = workspace.feed(
        "questions", feed="survey_questions", columns=None, currency=None, path="exports/questions.csv"
    )
    workspace.export("questions.csv", "\n".join([*QUESTIONS, *lines]) + "\n")
    return load_feed(opened(workspace.settings), feed)


@pytest.mark.parametrize(
    ("role", "nearest"),
    [
        ("overal_satisfaction", "`overall_satisfaction`"),
        ("Overall Satisfaction", "`overall_satisfaction`"),
        ("dimensions:wifi", "`dimension:wifi`"),
        ("dimension", "`dimension:*`"),
        ("recomend", "`recommend`"),
        ("switching_cost:mony", "`switching_cost:money`"),
    ],
)
def test_k6_a_wrong_role_is_named_with_its_question_the_nearest_and_the_list(workspace, role, nearest):
    (outcome,) = land_questions(workspace, f"club,Q77,{role},1,5")
    (sentence,) = outcome.meanings
    named = "questions.csv, line 31: survey_id `club`, question_code `Q77`"
    said = f"{named} has the role `{role}`, the nearest is {nearest}"
    assert sentence.startswith(said + "; known are overall_satisfaction, disconfirmation, ideal, ")
    assert sentence.endswith("considered_count, comment")


def test_k6_a_role_that_is_near_to_nothing_has_the_list_alone(workspace):
    (outcome,) = land_questions(workspace, "club,Q77,xyz,1,5")
    assert "has the role `xyz`; known are overall_satisfaction" in outcome.meanings[0]


def test_a_feed_with_people_shows_the_list_and_not_the_cell(workspace):
    (workspace.folder / "expectations" / "survey_responses.yml").write_text(
        (shipped("expectations") / "survey_responses.yml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    feed = workspace.feed("answers", feed="survey_responses", columns=None, currency=None, path="exports/answers.csv")
    workspace.export(
        "answers.csv", "response_id,survey_id,submitted_at,mode\n1,club,2026-05-01T10:00:00Z,Anna Schmidt\n"
    )
    (outcome,) = load_feed(opened(workspace.settings), feed)
    assert outcome.outcome == "rejected"
    assert "known are phone, mail, on_site, web" in outcome.message
    assert "Anna" not in outcome.message


def test_every_known_role_is_read_from_its_rule():
    suite = load_suite(shipped("expectations"), "survey_questions")
    roles = allowed_values(next(rule for rule in suite.rows if rule.name == "role_known"))
    assert {"overall_satisfaction", "dimension:*", "sacrifice:psychic", "comment"} <= set(roles)
    assert len(roles) == len(set(roles))
