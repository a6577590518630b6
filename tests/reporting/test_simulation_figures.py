import numpy as np
import polars as pl
import pytest

from tests.reporting.pictures import assert_labelled, assert_tells, assert_whole
from twinloop.numbers import Interval
from twinloop.reporting.figures import decisions, shopfloor
from twinloop.simulation.figures.states import STATE_COLOURS

HOSTILE = "<script>alert(1)</script> $x_1$"
STAYS = pl.DataFrame(
    [
        ("press", "running", 0.0, 90.0),
        ("press", "down", 90.0, 150.0),
        ("press", "running", 150.0, 300.0),
        (HOSTILE, "starved", 0.0, 300.0),
    ],
    schema=["entity", "state", "start_min", "end_min"],
    orient="row",
)
STRIP = pl.DataFrame(
    [("press", "sole", 60.0, 90.0), ("press", "shifting", 90.0, 150.0), (HOSTILE, "shifting", 90.0, 150.0)],
    schema=["entity", "kind", "start_min", "end_min"],
    orient="row",
)
SHARES = pl.DataFrame({"entity": ["press", HOSTILE], "sole": [0.25, 0.0], "shifting": [0.5, 0.5]})
LEVELS = {
    "press": (np.array([30.0, 90.0, 120.0]), np.array([4.0, 2.0, 0.0])),
    HOSTILE: (np.array([0.0]), np.array([1.0])),
}
TRIALS = pl.DataFrame({"promised": [100.0, None, 90.0, 120.0], "finalist": [True, False, False, True]})
MACHINES = ("press", HOSTILE)
FIGURES_OF_A_POLICY = ("upkeep_cost_per_part", "availability", "throughput_per_day")


def policies(*names: str) -> pl.DataFrame:
    """Costs 1, 2, … euro per part, availability 90 %."""
    rows = []
    for place, name in enumerate(names, start=1):
        for figure in FIGURES_OF_A_POLICY:
            mean = 0.9 if figure == "availability" else float(place)
            rows.append((name, figure, "€/part", mean, 0.95 * mean, 1.05 * mean, place - 1.0, place - 1.5, place - 0.5))
    schema = ["policy", "figure", "unit", "mean", "low", "high", "against_oracle", "against_low", "against_high"]
    return pl.DataFrame(rows, schema=schema, orient="row")


FIGURES = {
    "states": lambda: shopfloor.station_states({HOSTILE: {"running": 0.6, "down": 0.4}}),
    "gantt": lambda: shopfloor.state_gantt(STAYS, machines=MACHINES, start=60.0, end=180.0),
    "levels": lambda: shopfloor.buffer_levels(LEVELS, {"press": 4, HOSTILE: None}, start=60.0, end=180.0),
    "bottlenecks": lambda: shopfloor.bottlenecks(SHARES, STRIP, machines=MACHINES, start=60.0, end=180.0),
    "work in progress": lambda: shopfloor.work_in_progress(np.array([0.0, 1.0]), np.array([0.0, 3.0]), warm_up_h=0.5),
    "policies": lambda: decisions.maintenance_policies(policies("oracle", HOSTILE, "run to failure")),
    "optimisation": lambda: decisions.optimisation_history(
        TRIALS, today=Interval(95.0, 90.0, 100.0), gain=Interval(10.0, 5.0, 15.0), what="profit", unit="€/day"
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_labels_its_axes_with_units_has_words_and_can_be_drawn(name):
    figure = FIGURES[name]()
    assert_tells(figure)
    assert_labelled(figure)


@pytest.mark.parametrize("name", FIGURES)
def test_no_label_is_cut_off(name):
    assert_whole(FIGURES[name]())


def test_states_have_the_same_colours_everywhere():
    bars = FIGURES["states"]().axes[0].patches
    spans = FIGURES["gantt"]().axes[0].collections
    assert [bar.get_facecolor()[:3] for bar in bars] == [
        tuple(int(STATE_COLOURS[state][k : k + 2], 16) / 255 for k in (1, 3, 5)) for state in ("running", "down")
    ]
    assert bars[1].get_facecolor() == tuple(spans[1].get_facecolor()[0])


def test_the_gantt_shows_hours_from_its_start():
    axes = FIGURES["gantt"]().axes[0]
    spans = [[path.vertices[:, 0].min(), path.vertices[:, 0].max()] for c in axes.collections for path in c.get_paths()]
    assert spans == [[0.0, 0.5], [1.5, 2.0], [0.5, 1.5], [0.0, 2.0]]
    assert axes.get_yticklabels()[0].get_text() == "press"


def test_levels_start_with_what_waited_before_and_say_how_long_a_queue_is_full():
    figure = FIGURES["levels"]()
    steps = figure.axes[0].lines[0]
    assert steps.get_xdata().tolist() == [0.0, 0.5, 1.0, 2.0]
    assert steps.get_ydata().tolist() == [4.0, 2.0, 0.0, 0.0]
    assert "press full 25\u202f%, empty 50\u202f% of the time" in figure.alt
    assert f"{HOSTILE} empty 0\u202f% of the time" in figure.alt


def test_bottleneck_bars_are_shares_and_the_strip_is_one_day():
    bars, lanes = FIGURES["bottlenecks"]().axes
    assert [patch.get_width() for patch in bars.patches] == [25, 0, 50, 50]
    assert [(patch.get_x(), patch.get_width()) for patch in lanes.patches] == [(0, 0.5), (0.5, 1.0), (0.5, 1.0)]


def test_the_oracle_has_no_regret():
    cost, available, regret = FIGURES["policies"]().axes
    dots = [
        [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"] for axes in (cost, available, regret)
    ]
    assert dots == [[1, 2, 3], [90, 90, 90], [1, 2]]


def test_the_best_promise_passes_over_trials_that_stood_still_and_never_falls():
    axes = FIGURES["optimisation"]().axes[0]
    best = next(line for line in axes.lines if line.get_label() == "best promise so far")
    assert best.get_ydata().tolist() == [100, 100, 100, 120]
    afresh = [line.get_ydata()[0] for line in axes.lines if line.get_marker() in ("s", "D")]
    assert afresh == [95, 105]


@pytest.mark.parametrize(
    ("figure", "words"),
    [
        (
            lambda: decisions.optimisation_history(TRIALS.clear(), today=None, gain=None, what="profit", unit="€/day"),
            "nothing was searched for",
        ),
        (lambda: decisions.maintenance_policies(policies().clear()), "nothing to maintain"),
        (lambda: shopfloor.buffer_levels({}, {}, start=0.0, end=60.0), "no part waited"),
    ],
)
def test_what_is_not_there_is_said_in_words(figure, words):
    assert words in figure().alt
    assert figure().png.startswith(b"\x89PNG")
