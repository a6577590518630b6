import dataclasses

import polars as pl
import pytest

from tests.simulation.figures.drawn import NEEDY, REENTRANT, SERIAL
from tests.simulation.lines import log_of
from twinloop.errors import InputError
from twinloop.files import write_json
from twinloop.reporting.figures import shopfloor
from twinloop.simulation.model.line import Line
from twinloop.twins.factory import paths
from twinloop.twins.factory.results.floor import ShopFloor


def floor_of(line: Line, root, *, days: float = 1.0, warmup_days: float = 0.25) -> ShopFloor:
    """What the simulate stage leaves of one run of a line."""
    out = root / paths.SIMULATION
    out.mkdir(parents=True)
    log_of(line, minutes=(days + warmup_days) * line.minutes_per_day).save(out / "events.parquet")
    write_json(out / "today.json", {"line": dataclasses.asdict(line), "days": days, "warmup_days": warmup_days})
    return ShopFloor(root)


@pytest.fixture
def floor(tmp_path):
    return floor_of(SERIAL, tmp_path)


def test_the_line_comes_back_as_it_was_simulated(floor):
    assert floor.line == SERIAL
    assert (floor.warmup_min, floor.horizon) == (120.0, 600.0)
    assert floor.machines == ("saw", "mill_1", "mill_2", "camera", "pack", "rework")


def test_the_first_day_after_the_warm_up_is_shown(floor):
    gantt = floor.gantt()
    assert (gantt["start"], gantt["end"]) == (120.0, 600.0)
    assert set(gantt["stays"]["entity"]) == set(floor.machines)


def test_a_run_shorter_than_a_day_is_shown_to_its_end(tmp_path):
    gantt = floor_of(SERIAL, tmp_path, days=0.5).gantt()
    assert (gantt["start"], gantt["end"]) == (120.0, 360.0)


def test_queues_have_the_room_of_their_station(floor):
    found = floor.levels()
    rooms = {"mill": 3, "camera": 2, "pack": 20, "rework": 2}
    assert set(found["levels"]) <= set(rooms)
    assert found["rooms"] == {name: rooms[name] for name in found["levels"]}
    assert all(level.max() <= found["rooms"][name] for name, (_, level) in found["levels"].items())


def test_work_in_progress_ends_with_the_parts_that_are_still_there(floor):
    found = floor.work_in_progress()
    events = floor.events
    counts = {kind: events.filter(pl.col("event") == kind).height for kind in ("enter", "ship", "scrap")}
    assert found["parts"][-1] == counts["enter"] - counts["ship"] - counts["scrap"]
    assert found["warm_up_h"] == 2


@pytest.mark.parametrize("line", [SERIAL, REENTRANT, NEEDY], ids=lambda line: line.name)
def test_every_line_has_all_its_figures(line, tmp_path):
    floor = floor_of(line, tmp_path)
    for figure in (
        shopfloor.state_gantt(**floor.gantt()),
        shopfloor.buffer_levels(**floor.levels()),
        shopfloor.bottlenecks(**floor.bottlenecks()),
        shopfloor.work_in_progress(**floor.work_in_progress()),
    ):
        assert len(figure.alt) > 20
    assert line.name in floor.view().alt


def test_without_results_the_remedy_is_named(tmp_path):
    with pytest.raises(InputError, match=r"today\.json: not there yet: run `make repro` first"):
        ShopFloor(tmp_path).view()
