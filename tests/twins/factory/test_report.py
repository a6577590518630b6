import base64
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.twins.factory.small_loop import HOSTILE, make_hostile, stage
from tests.twins.small_loop import SilentTracker
from twinloop.errors import InputError, RunError
from twinloop.files import read_json
from twinloop.reporting.front import PAGE, read_answers, write_front
from twinloop.twins.factory import paths, report
from twinloop.twins.factory.results.base import FactoryOutputs
from twinloop.twins.factory.results.images import Images
from twinloop.twins.factory.results.line import ProductionLine
from twinloop.twins.factory.results.search import Search
from twinloop.twins.factory.twin import TWIN
from twinloop.twins.stage import Stage

ROOT = Path(__file__).resolve().parents[3]
# Attributes by which a browser fetches something on its own.
FETCHING = {
    ("img", "src"),
    ("script", "src"),
    ("link", "href"),
    ("iframe", "src"),
    ("source", "src"),
    ("object", "data"),
}


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root on which all stages up to report have run."""
    root = tmp_path_factory.mktemp("loop")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.twins.factory.small_loop", str(root)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    make_hostile(root)
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    (root / "summary").write_text(report.run(stage(root)))
    write_front(root, read_answers(root, [TWIN.answer]))
    return root


class Reader(HTMLParser):
    """Collects elements and visible text."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)


def pages(root: Path) -> list[Path]:
    return [root / PAGE, *(p for p in sorted((root / paths.REPORTS).glob("*.html")) if p.name != "gantt.html")]


def test_the_summary_counts_the_notebooks(reported):
    assert (reported / "summary").read_text() == "7 notebooks → reports/factory/index.html"
    headline, simulated = (read_json(reported / paths.metrics(verb)) for verb in ("report", "simulate"))
    assert headline["profit_per_day"] == simulated["profit_per_day"]


def test_every_notebook_and_card_has_its_page(reported):
    names = {page.name for page in pages(reported)}
    assert names == {"index.html", *report.CARDS, *(f"{name}.html" for name in report.PAGES)}


def test_figures_have_plain_names(reported):
    names = {path.name for path in (reported / paths.REPORTS / "figures").iterdir()}
    assert {
        "profit_vs_threshold.png",
        "operating_curve.png",
        "lever_ranking.png",
        "gantt.png",
        "heat_maps.png",
        "line_day.png",
        "buffer_levels.png",
        "bottleneck.png",
        "maintenance_policies.png",
        "optimisation.png",
        "line_at_work.svg",
    } <= names
    assert all(re.fullmatch(r"[a-z_]+\.(png|svg)", name) for name in names)


def test_the_line_at_work_moves_and_prints_as_a_still(reported):
    for page in (reported / TWIN.index_page, reported / paths.REPORTS / "06_simulation.html"):
        shown = {str(image.get("class")): str(image["src"]) for image in Reader(page).all("img") if image.get("class")}
        assert set(shown) == {"play", "still"}, page.name
        moving, still = (base64.b64decode(shown[kind].partition(",")[2]).decode() for kind in ("play", "still"))
        assert "<animate" in moving
        assert "<animate" not in still
        assert len(moving) <= 300_000
    assert moving == (reported / paths.REPORTS / "figures" / "line_at_work.svg").read_text()


def test_pages_ask_nobody_and_need_no_script(reported):
    for page in pages(reported):
        read = Reader(page)
        assert "script" not in {tag for tag, _ in read.elements}, page.name
        fetched = [
            value
            for tag, attributes in read.elements
            for name, value in attributes.items()
            if (tag, name) in FETCHING and not (value or "").startswith("data:")
        ]
        assert fetched == [], page.name
        assert "@import" not in page.read_text()
        assert not re.search(r"url\((?!data:)", page.read_text()), page.name


def test_the_interactive_chart_carries_its_own_library(reported):
    read = Reader(reported / paths.REPORTS / "gantt.html")
    assert [a for a in read.all("script") if a.get("src")] == []
    assert len((reported / paths.REPORTS / "gantt.html").read_text()) > 1_000_000


def test_links_lead_somewhere(reported):
    for page in pages(reported):
        for link in Reader(page).all("a"):
            assert (page.parent / str(link["href"])).is_file(), f"{page.name}: {link['href']}"


def test_fault_32_a_hostile_class_name_stays_text(reported):
    assert HOSTILE in Images(reported).index["label"].to_list()
    seen = []
    for page in pages(reported):
        read = Reader(page)
        assert list(read.all("script")) == [], page.name
        seen += [page.name] if HOSTILE in read.text else []
    assert {"index.html", "01_data_exploration.html", "06_simulation.html", "model_card.html"} <= set(seen)


def test_every_picture_says_in_words_what_it_shows(reported):
    for page in pages(reported):
        for image in Reader(page).all("img"):
            assert len(image["alt"] or "") > 20, page.name
            assert int(str(image["width"])) <= 800


def test_pages_show_no_code_and_no_errors(reported):
    for name in report.PAGES:
        text = Reader(reported / paths.REPORTS / f"{name}.html").text
        assert "import " not in text
        assert "Traceback" not in text
        assert "Warning" not in text


def test_the_first_page_opens_with_the_answer_and_shows_every_change(reported):
    read, line = Reader(reported / TWIN.index_page), ProductionLine(reported)
    text = " ".join(read.text.split())
    answer = " ".join(line.answer["sentence"].split())
    assert text.index(answer) < text.index("gain per day") < text.index("Operations")
    for row in line.sensitivity.iter_rows(named=True):
        assert row["name"] in text
    assert next(read.all("img"))["alt"].startswith("Profit per day against the threshold")


def test_the_first_page_says_how_to_find_its_run_and_parameters(reported):
    text = Reader(reported / TWIN.index_page).text
    digest = FactoryOutputs(reported).digest()
    assert f"tags.results = '{digest}'" in text
    assert read_json(reported / paths.metrics("report"))["results"] == digest
    assert (
        f"deterministic_limit: {stage(reported).config.factory.schedule.deterministic_limit}"
        in Reader(reported / paths.REPORTS / "params.html").text
    )


def test_a_report_knows_not_where_it_was_made(reported):
    for page in pages(reported):
        if page.name != "params.html":
            text = page.read_text().replace(str(reported / "source"), "")
            assert str(reported) not in text, page.name


def test_without_trials_the_tuning_page_says_so(reported):
    assert Search(reported).importances() == {}
    text = Reader(reported / paths.REPORTS / "03_hyperparameter_tuning.html").text
    assert "as configured, nothing searched" in text


def test_missing_outputs_are_named_with_the_remedy(tmp_path):
    with pytest.raises(InputError, match=r"prepare\.json: not there yet: run `make repro` first"):
        Images(tmp_path).summary()


def test_missing_notebooks_are_named(reported, tmp_path):
    with pytest.raises(RunError, match=r"07_scheduling\.ipynb missing"):
        report.run(Stage(stage(reported).config, tmp_path, SilentTracker(), 1))
