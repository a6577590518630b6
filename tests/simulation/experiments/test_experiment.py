from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.simulation.lines import camera_line, curve, exponential, serial_line
from twinloop.errors import InputError
from twinloop.simulation import Economy, Line
from twinloop.simulation.experiments.experiment import run_scenarios
from twinloop.simulation.experiments.scenario import Scenario, curve_draw

PLAN = {"economy": Economy(), "days": 0.5, "warmup_days": 0.1, "replications": 6, "seed": 3}


def test_the_notebook_session_works(repository: Path):
    line = Line.from_yaml(repository / "conf/factory/line/assembly.yaml")
    result = line.run(days=2, replications=6, seed=1)
    change = result.compare(line.with_(buffer_2=16).run(days=2, replications=6, seed=1))
    assert 350 < result["throughput_per_day"].mean < 480
    assert 0.7 < result["oee"].mean < 0.95
    assert change["throughput_per_day"].mean > 0
    assert change.relative("profit_per_day") is not None
    assert result.model == "assumed"
    assert result.frame()["kpi"][0] == "profit_per_day"


def test_common_random_numbers_make_differences_sharper():
    line = serial_line(3, buffer=2, failure=100.0, repair=10.0)
    runs = {"days": 2, "warmup_days": 0.2, "replications": 12}
    base, more = line.run(seed=1, **runs), line.with_(buffer_1=4)
    same, other = more.run(seed=1, **runs), more.run(seed=2, **runs)
    kpi = "throughput_per_day"
    paired = np.var(same.values(kpi) - base.values(kpi), ddof=1)
    independent = np.var(other.values(kpi) - base.values(kpi), ddof=1)
    assert paired < 0.3 * independent


def test_an_unchanged_scenario_differs_by_nothing():
    scenarios = [Scenario(name, camera_line(), curve()) for name in ("a", "b")]
    results = run_scenarios(scenarios, **PLAN)
    difference = results["a"].compare(results["b"]).frame()
    assert difference["difference"].abs().max() == difference["high"].abs().max() == 0.0


def test_every_replication_uses_a_draw_of_the_curve_of_its_own_as_long_as_there_are_any():
    assert [curve_draw(curve(draws=200), r) for r in range(4)] == [1, 2, 3, 4]
    assert [curve_draw(curve(draws=2), r) for r in range(4)] == [1, 2, 1, 2]
    assert [curve_draw(curve(), r) for r in range(4)] == [0] * 4


def test_what_is_not_known_about_the_model_widens_the_interval():
    widths = []
    for spread in (0.0, 0.2):
        measured = curve(draws=20, spread=spread, prevalence=(0.8, 0.2))
        results = run_scenarios([Scenario("line", camera_line(), measured)], **(PLAN | {"replications": 20}))
        widths.append(results["line"]["escape_ppm"].half_width)
    assert widths[1] > 2 * widths[0]


def test_states_of_a_result_are_shares_of_each_machine():
    states = serial_line(2, buffer=1).run(days=1, replications=2).states
    assert states.columns == ["entity", "state", "share"]
    assert states.group_by("entity").agg(pl.col("share").sum())["share"].to_list() == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"days": 0.0}, "days = 0.0: expected a number > 0; days are counted after the warm-up"),
        ({"days": -1.0}, "expected a number > 0"),
        ({"days": float("nan")}, "expected a number > 0"),
        ({"warmup_days": -0.5}, "warmup_days = -0.5: expected a number ≥ 0"),
        ({"replications": 1}, "replications = 1: expected at least 2"),
    ],
)
def test_lengths_that_cannot_be_used_are_refused(changes, expected):
    with pytest.raises(InputError) as caught:
        run_scenarios([Scenario("line", serial_line(1, buffer=0))], **(PLAN | changes))
    assert expected in str(caught.value)


def test_two_scenarios_of_one_name_are_refused():
    with pytest.raises(InputError, match="'a' comes twice"):
        run_scenarios([Scenario("a", serial_line(1, buffer=0))] * 2, **PLAN)


def test_results_of_different_runs_are_not_compared():
    line = serial_line(1, buffer=0)
    first, second = (line.run(days=0.2, replications=2, seed=seed) for seed in (1, 2))
    with pytest.raises(InputError, match="same seed, days, warm-up and replications"):
        first.compare(second)


def test_a_figure_that_does_not_exist_names_the_nearest():
    result = serial_line(1, buffer=0).run(days=0.2, replications=2)
    with pytest.raises(InputError, match="unknown name 'profit_per_dya'; did you mean 'profit_per_day'"):
        result["profit_per_dya"]


def test_arrivals_slower_than_the_line_decide_its_throughput():
    line = serial_line(1, buffer=0).with_({"source.interarrival": {"kind": "exponential", "mean": 4.0}})
    result = line.run(days=4, replications=4, seed=5)
    assert result["throughput_per_day"].mean == pytest.approx(250, rel=0.05)
    assert result["performance"].mean == pytest.approx(exponential().average / 4, rel=0.07)
