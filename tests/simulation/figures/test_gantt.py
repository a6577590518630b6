import pytest

from tests.simulation.figures.drawn import SERIAL
from twinloop.errors import InputError
from twinloop.simulation.events.intervals import state_intervals
from twinloop.simulation.experiments.result import Result
from twinloop.simulation.figures.states import STATE_COLOURS

HOSTILE = "<b>desk</b>"


@pytest.fixture(scope="module")
def result() -> Result:
    return SERIAL.run(days=1.5, warmup_days=0.25, replications=2, seed=3, engine="simpy")


def test_every_machine_is_in_one_state_all_day(result):
    figure = result.gantt(day=1)
    hours: dict[str, float] = {}
    for bars in figure.data:
        for name, length, start in zip(bars.y, bars.x, bars.base, strict=True):
            hours[name] = hours.get(name, 0.0) + length
            assert 0 <= start <= start + length <= 8 + 1e-9
    assert set(hours) == {"saw", "mill_1", "mill_2", "camera", "pack", "rework"}
    assert all(total == pytest.approx(8.0) for total in hours.values())


def test_it_shows_the_day_of_the_very_run_behind_the_figures(result):
    run = result.run_of(0)
    stays = state_intervals(run.log().frame(), horizon=run.horizon)
    down = stays.filter((stays["state"] == "down") & (stays["start_min"] >= 120) & (stays["end_min"] <= 600))
    bars = next(bars for bars in result.gantt(day=1).data if bars.name.startswith("down"))
    assert len(bars.x) >= len(down) > 0
    starts = {round(start * 60 + 120, 6) for start in bars.base}
    assert {round(start, 6) for start in down["start_min"]} <= starts


def test_the_last_day_may_be_a_part_of_one(result):
    figure = result.gantt(day=2)
    assert figure.layout.xaxis.range == (0, 4)


def test_states_have_their_colours_and_words(result):
    for bars in result.gantt().data:
        state, _, meaning = bars.name.partition(": ")
        assert bars.marker.color == STATE_COLOURS[state]
        assert meaning
    assert result.gantt().layout.xaxis.title.text == "planned production time (hours)"


@pytest.mark.parametrize("day", [0, 3, -1])
def test_a_day_that_was_not_simulated_is_refused(result, day):
    with pytest.raises(InputError, match=rf"gantt: day = {day}: expected a day from 1 to 2: 1.5 days were simulated"):
        result.gantt(day=day)


def test_hostile_names_are_escaped():
    figure = SERIAL.with_(name=HOSTILE).run(days=0.2, replications=2, engine="simpy").gantt()
    assert "<b>desk" not in figure.layout.title.text
    assert "&lt;b&gt;desk" in figure.layout.title.text
