from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tests.simulation.lines import camera_line, curve, serial_line
from twinloop.errors import InputError
from twinloop.replication.statistics import holm, p_value
from twinloop.simulation.experiments.experiment import run_scenarios
from twinloop.simulation.experiments.scenario import Scenario
from twinloop.simulation.experiments.scenarios import SideBySide, changed, read_changes

LINE = serial_line(3, buffer=1, failure=100.0, repair=10.0)
SCENARIOS = {
    "bigger buffers": {"buffer_1": 6, "buffer_2": 6},
    "faster repair": {f"stations.m{number}.repair.mean": {"scale": 0.2} for number in (1, 2, 3)},
    "no change": {"buffer_1": 1},
}


@pytest.fixture(scope="module")
def found() -> SideBySide:
    return LINE.compare(SCENARIOS, days=1, warmup_days=0.1, replications=8, seed=1)


def test_scenarios_stand_beside_the_line_as_it_is(found):
    assert list(found) == ["today", *SCENARIOS]
    frame = found.frame("throughput_per_day")
    assert frame["scenario"].to_list() == list(found)
    assert frame["sure"].to_list() == [None, True, True, False]
    assert frame["p"][3] == 1.0
    assert (frame["change_low"] <= frame["change"]).all()


def test_a_comparison_by_name_is_the_paired_one(found):
    single = found["faster repair"]["throughput_per_day"]
    row = found.frame("throughput_per_day").row(2, named=True)
    assert row["change"] == pytest.approx(single.mean)
    # Three intervals that hold together are wider than one alone.
    assert row["change_high"] - row["change_low"] > 1.2 * (single.high - single.low)


def test_every_scenario_has_the_numbers_of_a_run_by_itself(found):
    alone = LINE.with_(SCENARIOS["bigger buffers"]).run(days=1, warmup_days=0.1, replications=8, seed=1)
    assert found.results["bigger buffers"].replications.equals(alone.replications)


def test_the_best_is_among_those_that_may_be_the_best(found):
    assert "no change" not in found.best("throughput_per_day")
    assert found.best("wip", smallest=True) == ("faster repair",) or "bigger buffers" not in found.best(
        "wip", smallest=True
    )


def test_scenarios_can_be_a_yaml_file(tmp_path, found):
    (tmp_path / "what_if.yaml").write_text(
        "bigger buffers: {buffer_1: 6, buffer_2: 6}\n"
        "faster repair:\n"
        "  stations.m1.repair.mean: {scale: 0.2}\n"
        "  stations.m2.repair.mean: {scale: 0.2}\n"
        "  stations.m3.repair.mean: {scale: 0.2}\n"
        "no change: {buffer_1: 1}\n"
    )
    read = LINE.compare(tmp_path / "what_if.yaml", days=1, warmup_days=0.1, replications=8, seed=1)
    assert read.frame().equals(found.frame())


def test_the_inspection_moves_by_threshold_and_band():
    today = Scenario("today", camera_line(), curve(accept=0.3, reject=0.7))
    both = changed(today, "both", {"threshold": 0.4, "band": 0.1, "buffer_1": 9})
    assert (both.curve.accept_below, both.curve.reject_from) == (0.4, 0.5)
    assert both.line.buffers == (9,)
    kept = changed(today, "kept", {"threshold": 0.9})
    assert (kept.curve.accept_below, kept.curve.reject_from) == (0.9, 1.0)


def test_common_random_numbers_save_replications():
    # The variance of a paired difference against that of independent runs: what the comparison rests on.
    scenarios = [Scenario("a", LINE), Scenario("b", LINE.with_(buffer_1=2))]
    how = {"days": 1, "warmup_days": 0.1, "replications": 10}
    same, other = run_scenarios(scenarios, seed=1, **how), run_scenarios(scenarios, seed=1, first=10, **how)
    before, after = same["a"].values("throughput_per_day"), same["b"].values("throughput_per_day")
    fresh = other["b"].values("throughput_per_day")
    assert np.var(after - before, ddof=1) < 0.3 * np.var(fresh - before, ddof=1)


def test_holm_adjusts_step_by_step():
    # Holm (1979): the smallest times m, the next times m - 1, never less than the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def test_a_p_value_is_students():
    # Student's sleep data (1908): t = 4.0621 with 9 degrees of freedom, p = 0.00283.
    assert p_value([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]) == pytest.approx(0.002833, abs=1e-6)
    assert p_value([0.0, 0.0, 0.0]) == 1.0
    assert p_value([2.0, 2.0]) == 0.0


def test_twenty_changes_of_nothing_are_seldom_called_sure():
    rng = np.random.default_rng(4)
    false_alarms = [holm([p_value(rng.standard_normal(10)) for _ in range(20)]).min() < 0.05 for _ in range(200)]
    assert np.mean(false_alarms) < 0.1


class Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data):
        self.texts.append(data)


def test_the_face_says_what_is_sure_and_escapes_names():
    found = LINE.compare({"<b>same</b>": {"buffer_1": 1}}, days=0.5, warmup_days=0.1, replications=3)
    face = found._repr_html_()
    cells = Cells()
    cells.feed(face)
    assert "<b>" not in face
    assert {"today", "<b>same</b>", "Profit (€/day)", "0.0 … 0.0 (not sure)"} <= set(cells.texts)
    assert any("same random numbers, engine " in text for text in cells.texts)


@pytest.mark.parametrize(
    ("scenarios", "expected"),
    [
        ({}, "expected scenarios of other names, got none"),
        ({"today": {"buffer_1": 3}}, "'today' is the line as it is"),
        ({"typo": {"bufer_1": 3}}, "scenario 'typo': line: bufer_1: unknown name 'bufer_1'; did you mean 'buffer_1'?"),
        ({"full": {"buffer_1": -1}}, "scenario 'full': line: buffers.0 = -1: expected"),
        ({"odd": {"threshold": 1.5}}, "scenario 'odd': threshold = 1.5: expected a number in [0, 1]"),
        ({"odd": {"band": "wide"}}, "scenario 'odd': band = 'wide': expected a number in [0, 1]"),
    ],
)
def test_an_experiment_that_cannot_be_is_refused(scenarios, expected):
    with pytest.raises(InputError) as caught:
        LINE.compare(scenarios, days=1)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_scenario_that_does_not_exist_is_named(found):
    with pytest.raises(InputError, match="unknown scenario 'bigger'; known: today, bigger buffers"):
        found["bigger"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "cannot be read (No such file"),
        ("a: [", "while parsing"),
        ("- buffer_1", "expected name → dotted path → value"),
        ("a: 3", "expected name → dotted path → value"),
    ],
)
def test_a_file_of_scenarios_that_cannot_be_read_is_named(tmp_path: Path, text, expected):
    path = tmp_path / "what_if.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_changes(path)
    assert expected in str(caught.value)
    assert "what_if.yaml" in str(caught.value)
