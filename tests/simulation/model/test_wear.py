import math

import pytest
import yaml

from tests.simulation.lines import fixed
from tests.simulation.worn import policy, press, wear, worn_line
from twinloop.config import Invalid, parse
from twinloop.simulation import Line
from twinloop.simulation.model.maintenance import Maintenance
from twinloop.simulation.model.predictor import Predictor
from twinloop.simulation.model.wear import Wear

WEAR = {"kind": "gamma", "mean_life_min": 400.0}
MAINTENANCE = {"policy": "interval", "duration": {"kind": "deterministic", "mean": 20.0}, "interval_min": 300.0}
PREDICTOR = {"recall": [0.8], "lead_levels": [0.0, 1.0], "lead_hours": [[1.0, 4.0]], "false_alarms_per_hour": [0.01]}
LINE = """
name: worn
stations:
  - name: press
    cycle: {kind: deterministic, mean: 5.0}
    repair: {kind: lognormal, mean: 60.0, cv: 0.5}
    wear: {kind: gamma, mean_life_min: 400.0, cv: 0.3, shocks: {every_min: 200.0, jump: 0.05}, warning_below: 0.3}
    maintenance: {policy: condition, duration: {kind: deterministic, mean: 20.0}, interval_min: 60.0, health_below: 0.2}
"""


def test_a_worn_line_is_described_in_yaml_and_changed_by_path(tmp_path):
    (tmp_path / "line.yaml").write_text(LINE)
    line = Line.from_yaml(tmp_path / "line.yaml")
    assert line.stations[0].wear.shocks.every_min == 200.0
    longer = line.with_({"stations.press.wear.mean_life_min": {"scale": 2.0}})
    assert longer.stations[0].wear.mean_life_min == 800.0
    assert yaml.safe_load(LINE)["stations"][0]["maintenance"]["policy"] == longer.stations[0].maintenance.policy


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"mean_life_min": -400.0}, "mean_life_min = -400.0: expected a number > 0"),
        ({"cv": 0.0}, "cv = 0.0: expected a number > 0"),
        ({"limit": -1.0}, "limit = -1.0: expected a number > 0"),
        ({"warning_below": 1.5}, "warning_below = 1.5: expected a number ≤ 1"),
        ({"warning_below": -0.1}, "warning_below = -0.1: expected a number ≥ 0"),
        ({"restoration": 0.0}, "restoration = 0.0: expected a number > 0"),
        ({"restoration": 1.1}, "restoration = 1.1: expected a number ≤ 1"),
        ({"cv": 1.5}, "gamma wear expects cv ≤ 0.9, got 1.5: use weibull"),
        ({"kind": "gama"}, "did you mean 'gamma'"),
        ({"shocks": {"every_min": -5.0, "jump": 0.1}}, "shocks.every_min = -5.0: expected a number > 0"),
        ({"shocks": {"every_min": 5.0, "jump": -0.1}}, "shocks.jump = -0.1: expected a number > 0"),
    ],
)
def test_wear_that_cannot_be_is_refused_in_one_line(changes, expected):
    with pytest.raises(Invalid) as caught:
        parse(Wear, {**WEAR, **changes})
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("name", ["mean_life_min", "cv", "limit", "warning_below", "restoration"])
def test_a_rate_that_is_no_number_is_refused(name, value):
    with pytest.raises(ValueError, match="finite|expected a number"):
        wear(**{name: value})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"interval_min": 0.0}, "interval_min = 0.0: expected a number > 0"),
        ({"interval_min": -3.0}, "interval_min = -3.0: expected a number > 0"),
        ({"policy": "condition"}, "policy condition takes interval_min and health_below, got interval_min"),
        ({"policy": "condition", "health_below": 1.2}, "health_below = 1.2: expected a number ≤ 1"),
        ({"policy": "oracle"}, "policy oracle takes nothing more, got interval_min"),
        (
            {"policy": "predictive", "interval_min": None},
            "policy predictive takes predictor, got nothing; make the predictor from a RiskTable and an AlertCurve",
        ),
        ({"policy": "predictiv"}, "did you mean 'predictive'"),
        ({"restoration": -0.5}, "restoration = -0.5: expected a number > 0"),
    ],
)
def test_maintenance_that_cannot_be_is_refused_in_one_line(changes, expected):
    with pytest.raises(Invalid) as caught:
        parse(Maintenance, {**MAINTENANCE, **changes})
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"recall": [1.2]}, "recall.0 = 1.2: expected a number ≤ 1"),
        ({"false_alarms_per_hour": [-0.1]}, "false_alarms_per_hour.0 = -0.1: expected a number ≥ 0"),
        ({"recall": [0.8, 0.7]}, "expected 2 draws everywhere as in recall, got 1 of lead_hours"),
        ({"lead_hours": [[1.0]]}, "expected 2 lead_hours per draw, one per lead level"),
    ],
)
def test_a_predictor_that_cannot_be_is_refused_in_one_line(changes, expected):
    with pytest.raises(Invalid) as caught:
        parse(Predictor, {**PREDICTOR, **changes})
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"failure": fixed(100.0)}, "expected failure or wear, not both"),
        ({"repair": None}, "wear needs repair too"),
        ({"wear": None, "repair": None}, "maintenance expects wear"),
    ],
)
def test_a_station_that_contradicts_itself_is_refused(changes, expected):
    with pytest.raises(ValueError, match=expected):
        press(**{"worn": wear(), "maintenance": policy("oracle"), **changes})


def test_breakdowns_by_wear_count_when_the_bottleneck_is_looked_for():
    assert worn_line(wear(mean_life_min=100.0)).minutes_per_part(0) == pytest.approx(5.0 * 1.5)
