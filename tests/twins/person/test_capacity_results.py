"""The page on conversation and capacity, from what the stages leave."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.conftest import ROOT
from tests.twins.person.load.test_capacity import BATCHES, stage
from tests.twins.person.outputs import write_outputs
from tests.twins.person.profiles import profile, spoken
from tests.twins.person.test_appointments import CALENDAR
from twinloop.dialogue.datasets.calendars import read
from twinloop.dialogue.datasets.settings import CalendarSettings, CorpusSettings
from twinloop.dialogue.datasets.stored import save
from twinloop.numbers import Interval
from twinloop.reporting.figures import capacity as figures
from twinloop.twins.person import paths, schedule, simulate
from twinloop.twins.person.results.agenda import Agenda
from twinloop.twins.person.results.capacity import Capacity

PAGE = ROOT / "notebooks/person/17_conversation_and_capacity.ipynb"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Outputs of which those of simulate and schedule are real."""
    folder, apart = write_outputs(tmp_path_factory.mktemp("person")), tmp_path_factory.mktemp("calendar")
    profile(spoken(20), {"speak": [0.03] * 20}, batches=BATCHES).save(folder / paths.PROFILE)
    simulate.run(stage(folder))
    (apart / "calendar.ics").write_text(CALENDAR.replace("\n", "\r\n"))
    zone = CalendarSettings(zone="Europe/Berlin")
    save(read([apart / "calendar.ics"], CorpusSettings(calendar=zone)), apart / paths.DATASET)
    schedule.run(stage(apart))
    shutil.copytree(apart / paths.SCHEDULE, folder / paths.SCHEDULE, dirs_exist_ok=True)
    shutil.copy(apart / paths.metrics("schedule"), folder / paths.metrics("schedule"))
    return folder


def test_every_cell_of_the_page_shows_something(root: Path):
    cells = [cell for cell in json.loads(PAGE.read_text())["cells"] if cell["cell_type"] == "code"]
    scope: dict[str, Any] = {}
    for cell in cells:
        source = "".join(cell["source"])
        if "parameters" in cell["metadata"].get("tags", []):
            scope["root"] = root
        elif "import" in source:
            exec(source, scope)
        else:
            shown = eval(source, scope)
            assert getattr(shown, "alt", "") or shown.rows


def test_the_levers_stand_with_the_greatest_gain_first(root: Path):
    levers = pl.read_parquet(root / paths.SIMULATION / "levers.parquet")
    table = Capacity(root).levers()
    best = levers.sort("gain", descending=True)["lever"][0]
    assert table.rows[0][0] == best
    picture = figures.levers(**Capacity(root).gains())
    assert picture.alt.startswith(f"People more at once: {best} +")


def test_the_figure_of_response_times_marks_target_and_people(root: Path):
    capacity = Capacity(root)
    picture = figures.response_times(**capacity.response())
    assert "target 1.5 s" in picture.alt
    assert "held: " in picture.alt
    assert picture.png.startswith(b"\x89PNG")


def test_what_more_copies_attend_is_told(root: Path):
    agenda = Agenda(root)
    assert agenda.copies().rows == (("1", "3", "2", "6"), ("2", "5", "0", "0"))
    assert len(agenda.missed().rows) == 2
    assert agenda.zone.key == "Europe/Berlin"


def test_a_service_that_holds_nobody_is_drawn_too():
    users = pl.DataFrame({"users": [1, 2], "p95_s": [3.0, 3.5], "low": [2.5, 3.0], "high": [3.5, 4.0]})
    assert figures.response_times(users, target_s=1.5, held=Interval(0.0, 0.0, 0.0)).png
