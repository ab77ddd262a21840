"""A new workspace: settings, an example feed to edit, the suites, and a page that explains them."""

from __future__ import annotations

import shutil
from pathlib import Path

from loyalty.common.errors import UserError
from loyalty.common.progress import Progress
from loyalty.common.settings import WORKSPACE_FILE, shipped

SETTINGS = """\
# The settings of this workspace: `key: value`. `loyalty doctor` shows where everything is.

home: var                    # the data; relative to this folder

# max_age_days: 3            # publishing stops when the newest accepted orders are older
# keep_generations: 7        # published generations kept for rollback
# reporting_currency: EUR    # default: the only currency of the orders
# notify_url: https://...    # gets one JSON message when something needs attention
# postgres_url: postgresql://...  # gets a copy of each generation, for BI tools; see docs/bi-tools.md
# memory_limit: 4GB          # DuckDB's, while building
# engine: spark              # for more data than one machine can build; see docs/engines.md

# vars:                      # windows and thresholds of the metrics
#   churn_days: 60           # active = an order within this many days
#   left_truncation: false   # where the data begin with every customer's first order
"""

EXAMPLE_FEED = """\
# One file per export; the file's name is the feed's name. To start: remove `.example` from this file's name,
# edit it, put an export at its `path`, and run `loyalty run`.

feed: orders                        # which canonical feed this export becomes
source: my_shop                     # the shop or system; part of every key
group: orders                       # orders | crm | surveys
owner: data-engineering             # named in alerts
description: Orders of my shop, one row per order.
path: exports/orders_{date}.csv     # below var/; {date} = YYYY-MM-DD in the name; * and ? are allowed
format: csv                         # csv | fixed_width | xlsx | parquet | jsonl
options:
  delimiter: ","
  encoding: utf-8                   # utf-16, gb18030, cp1252 ...
  decimal: "."
time_zone: Europe/Berlin            # the zone of your shop: it decides on which day an order counts
timestamps_in: UTC                  # the zone of stamps that name none; without this line they are in time_zone
currency: EUR                       # where the export has no column for it
columns:                            # canonical column: the export's header; equal names need no entry
  order_id: OrderNumber
  customer_id: CustomerNumber
  ordered_at: CreatedAt
  total_amount: Total
  status: {value: completed}        # a constant
  kind: {from: Type, map: {"": sale, G: gift}}
max_quarantine_rate: 0.05           # a file with more broken rows is rejected
max_age_days: 3                     # late after this many days without a delivery
"""

# One example for each feed of a survey; the questions themselves are a file that is kept by hand.
SURVEY_FEEDS = {
    "survey_responses": """\
# One row per questionnaire. docs/surveys.md explains surveys.
feed: survey_responses
source: my_shop                     # the same as that of the orders, so that customers and orders are found
group: surveys
owner: research
description: Questionnaires of the customer survey.
path: exports/answers_{date}.csv    # one line per questionnaire, one column per question
time_zone: Europe/Berlin
columns:
  response_id: ResponseId
  survey_id: {value: customer_survey}
  submitted_at: EndDate
  # customer_id: CustomerNumber     # or order_id: an answer about an order is its customer's
""",
    "survey_answers": """\
# One row per answer, read from the same file: one column per question becomes one row per question.
feed: survey_answers
source: my_shop
group: surveys
owner: research
description: Answers to the customer survey.
path: exports/answers_{date}.csv
rows:
  unpivot: {columns: ["Q*"], name: question, value: answer}
time_zone: Europe/Berlin
columns: {response_id: ResponseId, question_code: question, value: answer}
""",
    "survey_questions": """\
# What every question means: a file that you keep by hand beside the feeds.
feed: survey_questions
source: my_shop
group: surveys
owner: research
description: Meaning of the questions.
path: workspace:dags/feeds/survey_questions.csv
time_zone: Europe/Berlin
snapshot: full                      # what is not in the newest file does not count
""",
    "survey_paths": """\
# Only for a path model of your own: which construct explains which. See docs/surveys.md.
feed: survey_paths
source: my_shop
group: surveys
owner: research
description: Arrows of the path model.
path: workspace:dags/feeds/survey_paths.csv
time_zone: Europe/Berlin
snapshot: full
""",
}

SURVEY_QUESTIONS = """\
survey_id,question_code,role,scale_min,scale_max,direction,missing_codes
customer_survey,Q1,overall_satisfaction,1,5,positive,-99
customer_survey,Q2,recommend,0,10,positive,-99
customer_survey,Q3,dimension:quality,1,7,positive,-99
customer_survey,Q4,dimension:waiting,1,7,negative,-99
"""

SURVEY_PATHS = """\
survey_id,cause,effect,is_standardised
customer_survey,quality,satisfaction,yes
customer_survey,satisfaction,loyalty,yes
"""

README = """\
# A workspace of the loyalty warehouse

| what | where |
|---|---|
| settings | `loyalty.yml` |
| one YAML per export | `dags/feeds/`; see the `.example` files there |
| what is checked on every load | `expectations/<feed>.yml` |
| exports to be loaded | `var/exports/`, or at a feed's `path` |
| the published marts | `var/serve/current/loyalty.duckdb`, to be opened read-only |

    loyalty doctor        # is everything there?
    loyalty run           # load, check, build, publish
    loyalty status        # feeds, quarantine, generations
    loyalty query "select * from retention__cohort_months limit 5"
"""


def make_workspace(folder: Path, progress: Progress) -> Path:
    """Make a workspace in a new or empty folder; returns it. UserError when something is there already."""
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is not empty: name a new folder for the workspace.")
    feeds = folder / "dags" / "feeds"
    feeds.mkdir(parents=True)
    (folder / "var" / "exports").mkdir(parents=True)
    shutil.copytree(shipped("expectations"), folder / "expectations")
    (feeds / "orders.yml.example").write_text(EXAMPLE_FEED, encoding="utf-8")
    for name, text in SURVEY_FEEDS.items():
        (feeds / f"{name}.yml.example").write_text(text, encoding="utf-8")
    (feeds / "survey_questions.csv.example").write_text(SURVEY_QUESTIONS, encoding="utf-8")
    (feeds / "survey_paths.csv.example").write_text(SURVEY_PATHS, encoding="utf-8")
    (folder / "README.md").write_text(README, encoding="utf-8")
    (folder / ".gitignore").write_text("var/\n", encoding="utf-8")
    (folder / WORKSPACE_FILE).write_text(SETTINGS, encoding="utf-8")
    progress.log(f"{folder}: a new workspace")
    progress.log(
        f"next: edit {feeds / 'orders.yml.example'} (path, columns, and your shop's clock in `time_zone` and "
        f"`timestamps_in`), name it orders.yml, and run `loyalty run` in {folder}; docs/feeds.md also has a till"
    )
    progress.log(f"for a survey, with or without orders: {feeds}/survey_*.example and docs/surveys.md")
    return folder
