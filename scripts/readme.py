"""Write the numbers and the picture in README, in both languages, and the tables in docs/demo-data.md: `make readme`.

Runs the demo in a folder of its own, then fills the parts of the pages between `<!-- name -->` and `<!-- end -->`,
and writes docs/figures/whale-curve.svg.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from loyalty.common.settings import Settings, load_settings
from loyalty.read.answers import answers
from loyalty.read.charts import titled, whale_curve
from loyalty.read.query import asked, write
from loyalty.read.words import Words

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
CHINESE = ROOT / "README.zh-CN.md"
SAMPLE = ROOT / "docs" / "demo-data.md"
PICTURE = ROOT / "docs" / "figures" / "whale-curve.svg"
# The lines of the demo's output that README shows, by their first word.
SHOWN_FEEDS = ("feed", "customers", "orders", "survey_responses")
SHOWN_MARTS = ("mart", "profitability__whale_curve", "retention__cohort_months", "satisfaction__segment_months")
SOURCE = "Purchases: Complete Journey 2017, published. Costs: drawn for the sample."
CURVE = "select * from profitability__whale_curve order by curve_rank"
QUESTION = re.compile(r'loyalty query "([^"]+)"')


def filled(text: str, name: str, content: str) -> str:
    """A page with one of its parts replaced."""
    part = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
    if len(part.findall(text)) != 1:
        raise SystemExit(f"The page has no part <!-- {name} --> ... <!-- end -->: add it, then run `make readme` again")
    return part.sub(lambda found: found[1] + content + found[2], text)


def part_of(text: str, name: str) -> str:
    """What a page says in one of its parts."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", text, re.DOTALL)
    return found[1] if found else ""


def answers_part(settings: Settings, words: Words) -> str:
    """The three questions, each with its answer."""
    return "\n".join(answers(settings, words, "- **{0}** {1}"))


def query_part(settings: Settings, text: str) -> str:
    """The result of the query that README asks."""
    (question,) = QUESTION.findall(text)
    shown = io.StringIO()
    with asked(settings, question) as answer:
        write(answer, "table", shown)
    return f"```\n{shown.getvalue()}```"


def demo_part(output: str, seconds: int, home_bytes: int, environment_bytes: int, words: Words) -> str:
    """How long the demo takes and how much it writes, and twelve lines of its output."""
    feeds, _, marts = output.partition("\nmart ")
    lines = [line for line in feeds.splitlines() if _is_shown(line, SHOWN_FEEDS)]
    lines += ["", *(line for line in f"mart {marts}".splitlines() if _is_shown(line, SHOWN_MARTS))]
    lines += [line for line in output.splitlines() if line.startswith("generation ")]
    needs = words.sentence(
        "On {0} cores this took {1} s; it needs {2} GB in `var/` and {3} GB in `.venv`. From its output:"
    ).format(os.cpu_count(), seconds, f"{home_bytes / 1e9:.1f}", f"{environment_bytes / 1e9:.1f}")
    shown = "\n".join(lines)
    return f"{needs}\n\n```\n{shown}\n```"


def tables_part(output: str) -> str:
    """The tables of the demo's output: what each feed brought, and the rows of each mart."""
    start, end = output.index("\nfeed "), output.index("\ngeneration ")
    return f"```\n{output[start:end].strip()}\n```"


def _is_shown(line: str, first_words: tuple[str, ...]) -> bool:
    """Whether a line of a table is its rule or begins with one of the words."""
    words = line.split()
    return len(words) > 1 and (words[0] in first_words or set(line) == {"-", " "})


def size_of(folder: Path) -> int:
    """The bytes that a folder has on disk."""
    return int(
        subprocess.run(["du", "-s", "-B1", folder], check=True, capture_output=True, text=True).stdout.split()[0]
    )


def draw(settings: Settings, file: Path) -> None:
    """Write the picture of README."""
    with asked(settings, CURVE) as answer:
        curve = pd.DataFrame(list(answer.rows), columns=list(answer.columns))
    file.parent.mkdir(exist_ok=True)
    chart = whale_curve(curve, Words("en"))
    titled(chart, "How much of the profit do the best customers bring?", SOURCE, is_simulated=True).save(str(file))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="demo-") as home:
        environment = os.environ | {"LOYALTY_HOME": home}
        command = [sys.executable, "-m", "loyalty.operate.airflow.demo"]
        output = subprocess.run(
            command, check=True, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
        ).stdout
        settings = load_settings(ROOT, home=Path(home))
        seconds = int(output.rpartition("The nightly run took ")[2].split()[0])
        output = output.replace(home, "var")
        sizes = (size_of(Path(home)), size_of(ROOT / ".venv"))
        for page, words in ((README, Words("en")), (CHINESE, Words("zh"))):
            text = page.read_text(encoding="utf-8")
            text = filled(text, "answers", answers_part(settings, words))
            text = filled(text, "query", query_part(settings, text))
            text = filled(text, "demo", demo_part(output, seconds, *sizes, words))
            page.write_text(text, encoding="utf-8")
        tables = filled(SAMPLE.read_text(encoding="utf-8"), "tables", tables_part(output))
        SAMPLE.write_text(tables, encoding="utf-8")
        draw(settings, PICTURE)
    print(f"{README}, {CHINESE}, {SAMPLE} and {PICTURE} show this demo.")


if __name__ == "__main__":
    main()
