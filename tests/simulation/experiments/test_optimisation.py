from dataclasses import replace

import numpy as np
import pytest

from tests.simulation.lines import PERFECT, camera_line, curve, exponential, fixed, serial_line
from twinloop.errors import InputError, RunError
from twinloop.replication.optimisation import Optimum
from twinloop.simulation import Knob, Line, OptimiseSettings, Rework, Station
from twinloop.simulation.experiments.experiment import run_scenarios
from twinloop.simulation.experiments.optimisation import optimise
from twinloop.simulation.experiments.scenario import Scenario

THROUGHPUT = "throughput_per_day"
BUFFER = Knob(kind="int", low=0.0, high=12.0, price_per_day=20.0)
# Two exponential stations of rate 1 a minute, 1000 minutes a day (Hillier and Boling): exact, and best at 4.
NET = [1000 * (size + 2) / (size + 3) - 20 * size for size in range(13)]


def settings(**changes) -> OptimiseSettings:
    plain = {
        "trials": 20,
        "space": {"buffer_1": BUFFER},
        "objective": THROUGHPUT,
        "replications": 4,
        "finalists": 3,
        "final_replications": 20,
        "max_replications": 100,
        "indifference": 1.0,
    }
    return OptimiseSettings(**(plain | changes))


@pytest.fixture(scope="module")
def found() -> Optimum:
    return serial_line(2, buffer=0).optimise(settings(), days=10, warmup_days=0.2, seed=1)


def test_the_buffer_that_theory_calls_best_is_found(found):
    assert int(np.argmax(NET)) == found.chosen.values["buffer_1"] == 4


def test_a_small_space_is_tried_completely_and_each_point_once(found):
    assert [trial.values["buffer_1"] for trial in found.trials] == list(range(13))


def test_the_promised_value_and_the_gain_agree_with_theory(found):
    for trial, net in zip(found.trials, NET, strict=True):
        assert trial.promised == pytest.approx(net, rel=0.03)
    assert found.gain.low <= NET[4] - NET[0] <= found.gain.high
    assert found.gain.half_width < 0.1 * found.gain.mean


def test_the_sampler_comes_near_the_best_of_a_space_it_cannot_try_completely():
    space = {f"buffer_{number}": Knob(kind="int", low=0.0, high=9.0, price_per_day=6.0) for number in (1, 2, 3)}
    line = serial_line(4, buffer=0)
    best = optimise(line, settings(trials=48, space=space, indifference=3.0), days=4, warmup_days=0.2, seed=2)
    assert len(best.trials) == 48
    # The exact figures (Hillier and Boling): 514.8 a day without buffers; with 3 in each .7477, less 9 · 6.
    assert best.gain.mean > 0.93 * (747.7 - 54 - 514.8)
    sizes = [best.chosen.values[path] for path in space]
    assert sizes[1] >= max(sizes[0], sizes[2]) - 1  # the bowl phenomenon: the middle deserves most


def test_luck_is_promised_but_not_answered():
    # A station's name is its luck and nothing else: all choices are equal, the gain is zero.
    line = Line(
        minutes_per_day=1000.0, stations=(Station(name="m", cycle=exponential()),), buffers=(), inspection=PERFECT
    )
    names = tuple(f"m{number}" for number in range(16))
    plan = settings(
        space={"stations.1.name": Knob(kind="categorical", choices=names)}, indifference=0.1, replications=2
    )
    promised, gains, inside = [], [], 0
    for seed in range(12):
        best = optimise(line, plan, days=0.1, warmup_days=0.0, seed=seed)
        promised.append(max(trial.promised for trial in best.trials) - 1000)
        gains.append(best.gain.mean)
        inside += best.gain.low <= 0 <= best.gain.high
    # A replication of 100 parts has a standard deviation of 100 a day: the best of 16 pairs promises about 125.
    assert np.mean(promised) > 80
    assert abs(np.mean(gains)) < 4 * np.std(gains) / np.sqrt(12)
    assert inside >= 9


def test_any_number_of_workers_gives_the_same_answer():
    space = {"buffer_1": BUFFER, "stations.m1.cycle.mean": Knob(kind="float", low=0.5, high=2.0, log=True)}
    plan = settings(trials=12, space=space, random_trials=4, batch=3, max_replications=20)
    line = serial_line(2, buffer=1)
    alone, three = (line.optimise(plan, days=0.5, warmup_days=0.1, seed=3, workers=workers) for workers in (1, 3))
    assert alone.frame().equals(three.frame())
    assert (alone.gain, alone.remaining) == (three.gain, three.remaining)


def test_the_inspection_threshold_is_a_knob_of_its_own():
    scenario = Scenario("camera", camera_line(rework=Rework(cycle=fixed(0.5))), curve(prevalence=(0.9, 0.1)))
    space = {"threshold": Knob(kind="float", low=0.05, high=0.95), "band": Knob(kind="float", low=0.0, high=0.3)}
    how = {"days": 1, "warmup_days": 0.1, "seed": 4}
    best = optimise(scenario, settings(trials=24, space=space, objective="profit_per_day", indifference=50.0), **how)
    grid = run_scenarios(
        [replace(scenario.at(value), name=f"{value}") for value in (0.1, 0.3, 0.5, 0.7, 0.9)], replications=4, **how
    )
    brute = max(result["profit_per_day"].mean for result in grid.values())
    spread = brute - min(result["profit_per_day"].mean for result in grid.values())
    assert best.result["profit_per_day"].mean > brute - 0.1 * spread


def test_a_line_that_stands_still_is_a_trial_without_a_promise():
    space = {"stations.m1.cycle.mean": Knob(kind="categorical", choices=(1.0, 1e6, 0.5))}
    best = serial_line(1, buffer=0).optimise(settings(space=space), days=0.5, warmup_days=0.1)
    assert [trial.promised is None for trial in best.trials] == [False, True, False]
    assert best.failed == 1
    assert best.chosen.values == {"stations.m1.cycle.mean": 0.5}
    assert best.frame()["promised"].null_count() == 1


def test_the_line_as_it_is_wins_where_nothing_is_better():
    space = {"buffer_1": Knob(kind="int", low=0.0, high=5.0, price_per_day=1e4)}
    best = serial_line(2, buffer=0).optimise(settings(space=space), days=0.5, warmup_days=0.1)
    assert best.chosen.name == "today"
    assert (best.gain.mean, best.gain.low, best.gain.high) == (0.0, 0.0, 0.0)
    assert best.sentence == "None of 6 ways to set buffer_1 is better than today's"


def test_the_answer_is_a_sentence_a_frame_and_a_face(found):
    assert found.sentence.startswith("buffer_1 = 4: throughput +1")
    assert "95 % interval" in found.sentence
    frame = found.frame()
    assert frame.columns == ["trial", "buffer_1", "cost_per_day", "promised", "finalist", "chosen"]
    assert frame.filter("chosen")["buffer_1"].to_list() == [4]
    assert frame["finalist"].sum() == 3
    face = found._repr_html_()
    assert "promised throughput" in face
    assert "trial 4 (chosen)" in face


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"space": {"buffer_9": BUFFER}}, "unknown name '9'; known: 1"),
        (
            {"space": {"buffer_1": Knob(kind="int", low=-1.0, high=3.0)}},
            "scenario 'buffer_1 = -1': line: buffers.0 = -1",
        ),
        (
            {"space": {"threshold": Knob(kind="float", low=0.0, high=3.0)}},
            "threshold = 3.0: expected a number in [0, 1]",
        ),
        ({"space": {"crew.size": Knob(kind="int", low=1.0, high=3.0)}}, "crew is None and has no 'size'"),
        (
            {"space": {"stations.m1.queue": Knob(kind="int", low=1.0, high=3.0, price_per_day=1.0)}},
            "stations.m1.queue is None today: a price per unit needs a number to start from",
        ),
        ({"objective": "profit"}, "objective: unknown name 'profit'; did you mean"),
        ({"trials": 0}, "trials = 0: expected at least 1"),
    ],
)
def test_a_space_that_does_not_fit_the_line_is_refused(changes, expected):
    with pytest.raises(InputError) as caught:
        serial_line(2, buffer=0).optimise(settings(**changes), days=1)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_space_of_lines_that_all_stand_still_is_a_run_that_must_stop():
    space = {"stations.m1.cycle.mean": Knob(kind="categorical", choices=(1e6, 1e7))}
    with pytest.raises(RunError, match="none of 2 trials ran to its end: narrow or move the space"):
        serial_line(1, buffer=0).optimise(settings(space=space), days=0.5)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: OptimiseSettings(trials=3), "trials expect a space to search in"),
        (lambda: OptimiseSettings(final_replications=50, max_replications=10), "max_replications ≥ final_replications"),
        (lambda: OptimiseSettings(indifference=0.0), "indifference = 0.0: expected a number > 0"),
        (lambda: Knob(kind="categorical", choices=("a", "b"), price_per_day=1.0), "price_per_day is per unit"),
        (lambda: Knob(kind="int", low=5.0, high=1.0), "needs low ≤ high"),
    ],
)
def test_settings_that_cannot_be_are_refused(make, expected):
    with pytest.raises(ValueError, match=expected):
        make()
