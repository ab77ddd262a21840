"""SIMULATED: the survey's exports, as its tool would drop them, with the dirt real ones have.

The dirt is put in on purpose and counted, so that the truth file can say what must be found.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from loyalty.demo.files import Exports
from loyalty.demo.purchases import IntArray, Purchases, day_number, utc
from loyalty.demo.survey import DRIVERS, WAVES, Survey

SURVEY_ID = "household_survey"
LABEL = "SIMULATED"
# A wave is delivered a fortnight after its day; the last one, of 27 December, before the year is over.
DELIVERED = (date(2017, 4, 14), date(2017, 7, 14), date(2017, 10, 14), date(2017, 12, 30))
CORRECTED_WAVE, CORRECTED = 2, date(2017, 10, 28)
ENGLISH_LABELS_WAVE, CHINESE_WAVE = 0, 1
CHINESE_RATE = 0.12

DUPLICATES, UNKNOWN_CUSTOMERS, PREVIEWS = 12, 5, 8
ANSWERED_BEFORE_SENT, OFF_SCALE, MISSING_CODES = 15, 9, 60
SPEEDER_RATE, STRAIGHT_LINER_RATE = 0.05, 0.04
FIRST_UNKNOWN_HOUSEHOLD = 900_001

QUESTIONS = (
    "overall", *DRIVERS, *(f"importance_{driver}" for driver in DRIVERS), "perceived", "expectation", "recommend",
    "repurchase", "grocery_spend", "people_told", "problem", "complained",
)  # fmt: skip
OFF_SCALE_CELLS = (
    ("overall", 6), ("overall", 0), ("quality", 11), ("service", 0), ("price", 55), ("care", 12), ("perceived", 99),
    ("recommend", 11), ("recommend", -1),
)  # fmt: skip
LABELS = {
    "en": {
        "overall": (
            "", "Very dissatisfied", "Dissatisfied", "Neither satisfied nor dissatisfied", "Satisfied",
            "Very satisfied",
        ),
        "problem": ("No", "Yes"),
        "complained": ("No", "Yes"),
    },
    "zh": {
        "overall": ("", "很不满意", "不满意", "一般", "比较满意", "很满意"),
        "problem": ("否", "是"),
        "complained": ("否", "是"),
    },
}  # fmt: skip

COST_BY_MODE = {"phone": 8.00, "mail": 2.50, "on_site": 6.00, "web": 0.20}
GIFT = 5.00
MORNING, NIGHT = 10 * 3600, 23 * 3600


@dataclass(frozen=True)
class Fieldwork:
    """`responses`: one row per questionnaire that came back, with its answers; `sends`: one per invitation.

    Beside the exported columns, responses has what the truth file counts: census_row (none for a preview), wave
    (0..3), is_duplicate, is_unknown, is_preview, is_before_sent, is_speeder, is_straight_liner.
    """

    responses: pd.DataFrame
    sends: pd.DataFrame

    @property
    def accepted(self) -> pd.DataFrame:
        """The responses a model should use: not quarantined, no previews, first of each customer and wave."""
        rows = self.responses
        return rows[~(rows["is_duplicate"] | rows["is_preview"] | rows["is_before_sent"])]


def send_and_collect(survey: Survey, purchases: Purchases, random: np.random.Generator) -> Fieldwork:
    """Send the questionnaires, collect the answers, and spoil some of them."""
    census = survey.census
    ids = purchases.household_ids
    sent = census[census["is_sent"]]
    sends = _sends(sent, ids, random)
    honest = _responses(census[census["is_answered"]], ids, random)
    responses = _spoiled(pd.concat([honest, *_extras(honest, random)], ignore_index=True), random)
    responses = responses.sort_values(["wave", "submitted_at", "census_row", "is_duplicate"], kind="stable")
    responses = responses.reset_index(drop=True)
    responses["response_id"] = [f"R{wave + 1}-{row:06d}" for row, wave in enumerate(responses["wave"], 1)]
    return Fieldwork(responses, sends)


def _sends(sent: pd.DataFrame, ids: IntArray, random: np.random.Generator) -> pd.DataFrame:
    n = len(sent)
    # Why a person does not answer: refused, not met, or unknown.
    reason = random.choice(["noncontact", "refusal", "unknown"], size=n, p=[0.5, 0.3, 0.2])
    wave = sent["wave"].to_numpy()
    return pd.DataFrame(
        {
            "send_id": [f"S{number + 1}-{row:06d}" for row, number in enumerate(wave, 1)],
            "survey_id": SURVEY_ID,
            "wave": _wave_names(wave),
            "household_id": ids[sent["household"]],
            "mode": sent["mode"].to_numpy(),
            "attempt": 1,
            "sent_at": utc(_wave_days(wave), np.full(n, 9 * 3600)),
            "incentive": np.where(sent["mode"] == "on_site", GIFT, 0.0),
            "cost_amount": sent["mode"].map(COST_BY_MODE).to_numpy(),
            "disposition": np.where(sent["is_answered"], "complete", reason),
            "data_origin": LABEL,
        }
    )


def _responses(answered: pd.DataFrame, ids: IntArray, random: np.random.Generator) -> pd.DataFrame:
    n = len(answered)
    wave = answered["wave"].to_numpy()
    day = _wave_days(wave)
    submitted = utc(day, random.integers(MORNING, NIGHT, n))
    # Respondents who read the questions take six to twelve minutes; those who click through take one or two.
    is_speeder = (answered["mode"] == "web").to_numpy() & (random.random(n) < SPEEDER_RATE)
    seconds = np.where(is_speeder, random.integers(60, 120, n), random.integers(360, 720, n))
    is_zh = (wave == CHINESE_WAVE) & (random.random(n) < CHINESE_RATE)
    mode = answered["mode"].to_numpy()
    rows = answered[["wave", "mode", *QUESTIONS]].reset_index(drop=True)
    rows["census_row"] = answered.index.to_numpy()
    rows["household_id"] = ids[answered["household"]]
    rows["invited_at"] = utc(day, np.full(n, 9 * 3600))
    rows["submitted_at"] = submitted
    # Paper carries no starting time.
    rows["started_at"] = (submitted - pd.to_timedelta(pd.Series(seconds), unit="s")).where(mode != "mail")
    rows["language"] = np.where(is_zh, "zh", "en")
    rows["device"] = pd.Series([f"device-{number:08x}" for number in random.integers(0, 2**32, n)]).where(mode == "web")
    rows["touchpoint"] = pd.Series(mode).map({"on_site": "store", "web": "web", "phone": "phone"})
    hours = random.uniform(4, 90, n)
    is_followed = (rows["overall"] <= 2).to_numpy() & (random.random(n) < 0.6) & (wave < 3)
    followed_up = submitted + pd.Series(pd.to_timedelta(np.rint(hours * 3600).astype("int64"), unit="s"))
    rows["followed_up_at"] = followed_up.where(is_followed)
    rows["state"] = "Finished"
    rows["is_speeder"] = is_speeder
    for flag in ("is_duplicate", "is_unknown", "is_preview", "is_before_sent"):
        rows[flag] = False
    return rows


def _extras(honest: pd.DataFrame, random: np.random.Generator) -> list[pd.DataFrame]:
    """Rows that are no new answer: second questionnaires, strangers and the tool's own previews."""
    by_wave = [honest.index[honest["wave"] == wave].to_numpy() for wave in range(len(WAVES))]

    def some(count: int) -> pd.DataFrame:
        """A copy of `count` answers, the same number from each wave."""
        share = [count // len(WAVES) + (wave < count % len(WAVES)) for wave in range(len(WAVES))]
        picked = [random.choice(rows, size, replace=False) for rows, size in zip(by_wave, share, strict=True)]
        return honest.loc[np.concatenate(picked)].reset_index(drop=True)

    again = some(DUPLICATES).assign(is_duplicate=True, is_speeder=False)
    later = pd.to_timedelta(random.integers(600, 1800, len(again)), unit="s")
    again["submitted_at"] += later
    again["started_at"] += later
    # The second answer differs, so that a model which takes it instead of the first one is found out.
    again["overall"] = np.where(again["overall"] == 5, 4, again["overall"] + 1)
    strangers = some(UNKNOWN_CUSTOMERS).assign(is_unknown=True, is_speeder=False, device=None)
    strangers["household_id"] = FIRST_UNKNOWN_HOUSEHOLD + np.arange(len(strangers))
    previews = some(PREVIEWS).assign(
        is_preview=True, is_speeder=False, state="Survey Preview", device="device-preview", overall=5
    )
    previews["household_id"] = pd.NA
    previews["followed_up_at"] = pd.NaT
    return [again, strangers, previews]


def _spoiled(rows: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Straight-liners, answers before the invitation, values off the scale, codes for `no answer`."""
    n = len(rows)
    plain = ~(rows["is_duplicate"] | rows["is_unknown"] | rows["is_preview"]).to_numpy()
    # A household that answered twice keeps its first answer clean.
    plain &= ~rows["census_row"].isin(rows.loc[rows["is_duplicate"], "census_row"]).to_numpy()
    lined = plain & (random.random(n) < STRAIGHT_LINER_RATE)
    value = random.integers(5, 10, n)
    for driver in DRIVERS:
        rows[driver] = np.where(lined, value, rows[driver])
    spoilt = random.permutation(np.flatnonzero(plain & ~lined))
    # The wave that comes twice has none of the early ones: the gate would count them twice.
    early = spoilt[(rows["wave"] != CORRECTED_WAVE).to_numpy()[spoilt]][:ANSWERED_BEFORE_SENT]
    others = spoilt[~np.isin(spoilt, early)]
    off_scale, missing = others[:OFF_SCALE], others[OFF_SCALE : OFF_SCALE + MISSING_CODES]
    rows.loc[early, "is_before_sent"] = True
    rows.loc[early, "invited_at"] += pd.Timedelta(days=2)
    for row, (question, wrong) in zip(off_scale, OFF_SCALE_CELLS, strict=True):
        rows.loc[row, question] = wrong
    for row, driver in zip(missing, random.choice(DRIVERS, MISSING_CODES), strict=True):
        rows.loc[row, driver] = -99
    rows["is_straight_liner"] = rows[list(DRIVERS)].eq(rows[DRIVERS[0]], axis=0).all(axis=1)
    return rows


def write_survey(exports: Exports, survey: Survey, fieldwork: Fieldwork) -> None:
    """All survey exports, wave by wave; one wave comes twice, and only the second delivery is right."""
    brands = survey.brands
    for wave, delivered in enumerate(DELIVERED):
        name = str(WAVES[wave])
        exports.frame("survey_sends", WAVES[wave], fieldwork.sends[fieldwork.sends["wave"] == name])
        rows = fieldwork.responses[fieldwork.responses["wave"] == wave]
        first = _first_delivery(rows) if wave == CORRECTED_WAVE else rows
        exports.frame("survey_responses", delivered, _response_export(first))
        exports.frame("survey_answers", delivered, _answer_export(first, wave), packed=True)
        if wave == CORRECTED_WAVE:
            exports.frame("survey_responses", CORRECTED, _response_export(rows))
            exports.frame("survey_answers", CORRECTED, _answer_export(rows, wave), packed=True)
        if wave == CHINESE_WAVE:
            exports.text("chinese_survey_answers", delivered, _chinese_export(rows), "gb18030")
        exports.frame("survey_brand_ratings", delivered, _brand_export(rows, brands))


def _first_delivery(rows: pd.DataFrame) -> pd.DataFrame:
    """The tool's mistake: interviewers on site had keyed the scale the wrong way round, and no follow-up was known."""
    swapped = rows["overall"].where(rows["mode"] != "on_site", 6 - rows["overall"])
    unknown = pd.Series(pd.NaT, index=rows.index, dtype=rows["followed_up_at"].dtype)
    return rows.assign(overall=swapped, followed_up_at=unknown)


def _response_export(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "response_id": rows["response_id"],
            "survey_id": SURVEY_ID,
            "wave": _wave_names(rows["wave"].to_numpy()),
            "household_id": rows["household_id"].astype("Int64"),
            "respondent_type": "customer",
            "invited_at": rows["invited_at"],
            "started_at": rows["started_at"],
            "submitted_at": rows["submitted_at"],
            "mode": rows["mode"],
            "touchpoint": rows["touchpoint"],
            "state": rows["state"],
            "incentive": np.where(rows["mode"] == "on_site", "gift", "none"),
            "language": rows["language"],
            "device": rows["device"],
            "followed_up_at": rows["followed_up_at"],
            "data_origin": LABEL,
        }
    )


def _long(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per answer, by response and in the questionnaire's order; `complained` only where there was a problem."""
    order = {question: place for place, question in enumerate(QUESTIONS)}
    answers = rows.melt(["response_id", "mode", "problem"], list(QUESTIONS[:-2]), "question", "value")
    asked = [
        rows[["response_id", "mode", "problem"]].assign(question=question, value=rows[question])
        for question in QUESTIONS[-2:]
    ]
    answers = pd.concat([answers, *asked], ignore_index=True)
    answers = answers[(answers["question"] != "complained") | (answers["problem"] == 1)]
    answers["place"] = answers["question"].map(order)
    return answers.sort_values(["response_id", "place"]).reset_index(drop=True)


def _answer_export(rows: pd.DataFrame, wave: int) -> pd.DataFrame:
    answers = _long(rows[rows["language"] == "en"])
    is_label = answers["question"].isin(list(LABELS["en"])) & (answers["mode"] == "web") & (wave == ENGLISH_LABELS_WAVE)
    return pd.DataFrame(
        {
            "response_id": answers["response_id"],
            "question": answers["question"],
            "value": answers["value"].astype("Int64").mask(is_label),
            "label": _labels(answers, "en").where(is_label),
            "data_origin": LABEL,
        }
    )


def _chinese_export(rows: pd.DataFrame) -> str:
    answers = _long(rows[rows["language"] == "zh"])
    label = _labels(answers, "zh")
    table = pd.DataFrame(
        {
            "答卷编号": answers["response_id"],
            "题目": answers["question"],
            "数值": answers["value"].astype("Int64").mask(label.notna()),
            "选项": label,
            "data_origin": LABEL,
        }
    )
    return str(table.to_csv(index=False, lineterminator="\n"))


def _labels(answers: pd.DataFrame, language: str) -> pd.Series:
    """The words for an answer, none where it is off the scale or the question has only numbers."""
    words = {
        (question, value): word
        for question, scale in LABELS[language].items()
        for value, word in enumerate(scale)
        if word
    }
    pairs = zip(answers["question"], answers["value"], strict=True)
    return pd.Series([words.get(pair) for pair in pairs], index=answers.index, dtype="object")


def _brand_export(rows: pd.DataFrame, brands: pd.DataFrame) -> pd.DataFrame:
    known = rows.loc[~rows["is_preview"], ["response_id", "census_row"]]
    rated = known.merge(brands, on="census_row").sort_values(["response_id", "rank", "brand"])
    return pd.DataFrame(
        {
            "response_id": rated["response_id"],
            "category": "groceries",
            "brand": rated["brand"],
            "is_us": rated["is_us"],
            "is_used": rated["is_used"],
            "is_considered": True,
            "rating": rated["rating"],
            "rank": rated["rank"],
            "period_days": 30,
            "data_origin": LABEL,
        }
    )


def _wave_names(wave: IntArray) -> list[str]:
    return [str(WAVES[number]) for number in wave]


def _wave_days(wave: IntArray) -> IntArray:
    return np.array([day_number(day) for day in WAVES])[wave]
