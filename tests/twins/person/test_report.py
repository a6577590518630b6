"""The person's report: four notebooks, cards and figures, with and without synthesisers; nothing becomes markup."""

import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.tracking import conftest as stores
from tests.twins.person.outputs import HOSTILE, write_outputs
from tests.twins.person.profiles import profile, spoken
from tests.twins.person.selves import small_self
from tests.twins.person.small_loop import stage
from twinloop.files import read_json
from twinloop.tracking.stage_run import stage_run
from twinloop.tracking.store import Store
from twinloop.twins.person import paths, record, report, simulate
from twinloop.twins.person.twin import TWIN
from twinloop.twins.stage import Stage

empty_store, store = stores.empty_store, stores.store


def made(root: Path, *, speech: bool) -> Path:
    """A root on which the report has run."""
    write_outputs(root, speech=speech)
    profile(spoken(20), {"speak": [0.03] * 20}).save(root / paths.PROFILE)
    simulate.run(stage(root))
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    (root / "summary").write_text(report.run(stage(root)))
    return root


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("reported"), speech=True)


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where no synthesiser was installed."""
    return made(tmp_path_factory.mktemp("silent"), speech=False)


class Reader(HTMLParser):
    """Collects elements and their attributes."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def sources(self, tag: str) -> list[str]:
        """Where elements of this kind have their content from."""
        return [str(attributes.get("src")) for name, attributes in self.elements if name == tag]


def pages(root: Path) -> Iterator[Path]:
    return (root / paths.REPORTS).glob("*.html")


def test_every_notebook_and_card_has_its_page(reported: Path) -> None:
    assert (reported / "summary").read_text() == "4 notebooks → reports/person/index.html"
    names = {page.name for page in pages(reported)}
    assert names == {"index.html", *report.CARDS, *(f"{name}.html" for name in report.PAGES)}


def test_the_answer_is_on_its_own_page_and_left_for_the_front_page(reported: Path) -> None:
    left, said = read_json(reported / TWIN.answer), read_json(reported / paths.ANSWER)["sentence"]
    assert left["sentence"] == said
    assert left["page"] == "person/index.html"
    assert left["picture"].startswith("data:image/png;base64,")
    assert said in (reported / paths.REPORTS / "index.html").read_text(encoding="utf-8")


def test_the_headline_is_what_the_stages_measured(reported: Path) -> None:
    headline = read_json(reported / paths.metrics("report"))
    measured = {verb: read_json(reported / paths.metrics(verb)) for verb in ("evaluate", "simulate", "schedule")}
    assert headline["WER"] == measured["evaluate"]["wer"]
    assert headline["users"] == measured["simulate"]["users"]
    assert headline["meetings_missed"] == measured["schedule"]["missed"]


def test_figures_have_plain_names(reported: Path) -> None:
    names = {path.name for path in (reported / paths.FIGURES).iterdir()}
    assert {"word_error_rates.png", "error_propagation.png", "refusals.png", "sliders.png", "users.png"} <= names
    assert all(re.fullmatch(r"[a-z_]+\.png", name) for name in names)


def test_pages_ask_nobody_and_no_name_becomes_markup(reported: Path) -> None:
    for page in pages(reported):
        found = Reader(page)
        assert "script" not in {tag for tag, _ in found.elements}, page.name
        for tag in ("img", "audio"):
            assert all(source.startswith("data:") for source in found.sources(tag)), page.name
    for name in ("14_speech", "15_knowledge_and_retrieval", "16_persona_and_answers", "data_card"):
        assert "&lt;script&gt;alert(1)" in (reported / paths.REPORTS / f"{name}.html").read_text(encoding="utf-8"), name
    assert HOSTILE not in (reported / paths.MODEL_CARD).read_text(encoding="utf-8")


def test_questions_and_replies_can_be_played(reported: Path, silent: Path) -> None:
    page = paths.REPORTS / "14_speech.html"
    assert len(Reader(reported / page).sources("audio")) == 3
    assert not Reader(silent / page).sources("audio")


def test_without_synthesisers_every_page_stands_and_says_so(silent: Path) -> None:
    assert {page.name for page in pages(silent)} >= {"index.html", *(f"{name}.html" for name in report.PAGES)}
    speech = (silent / paths.REPORTS / "14_speech.html").read_text(encoding="utf-8")
    assert "There is nothing to play" in speech
    assert "WER" not in read_json(silent / paths.metrics("report"))


def test_the_record_registers_the_responder_once(reported: Path, store: Store) -> None:
    small_self(reported / paths.SELF)
    made = stage(reported)

    def recorded() -> str:
        with stage_run(
            store, twin="person", stage="record", execution_key="k", params={}, tags={}, system_metrics=False
        ) as tracker:
            return record.run(Stage(made.config, reported, tracker, made.workers))

    assert recorded().startswith("fictional person · registry · ")
    assert recorded().endswith("person-responder version 1")
    assert set(TWIN.models) == {"responder"}
