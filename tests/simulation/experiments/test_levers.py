import pytest

from tests.simulation.lines import camera_line, curve, exponential, serial_line
from twinloop.errors import InputError
from twinloop.simulation import Add, Lever, Scale
from twinloop.simulation.experiments.levers import Choices, Model, OperatingPoint, applied, described, expanded
from twinloop.simulation.experiments.scenario import Scenario

CHOICES = Choices({"int8": Model(curve(accept=0.2, rho=0.9), 7.0)}, OperatingPoint(0.25, 0.6))
TODAY = Scenario("today", camera_line(), curve(accept=0.5, reject=0.5), 3.0)


def lever(change, *, name="lever", kind="maintenance") -> Lever:
    return Lever(name=name, lever=kind, change=change)


def test_a_lever_for_every_station_skips_those_it_does_not_fit():
    line = serial_line(3, buffer=1, failure=50.0, repair=5.0).with_(
        {"stations.m2.failure": None, "stations.m2.repair": None}
    )
    found = expanded(
        [lever({"stations.{station}.repair.mean": Scale(scale=0.8)}, name="repair {number} {station}")], line
    )
    assert [one.name for one in found] == ["repair 1 m1", "repair 3 m3"]
    assert list(found[1].change) == ["stations.m3.repair.mean"]


def test_a_lever_for_every_buffer_counts_them_from_one():
    found = expanded([lever({"buffer_{buffer}": Add(add=2)}, name="buffer {number}")], serial_line(3, buffer=1))
    assert [list(one.change) for one in found] == [["buffer_1"], ["buffer_2"]]
    assert applied(found[1], Scenario("today", serial_line(3, buffer=1)), CHOICES).line.buffers == (1, 3)


def test_the_model_lever_changes_errors_and_latency_but_not_the_threshold():
    changed = applied(lever({"model": "int8"}, kind="model"), TODAY, CHOICES)
    assert (changed.curve.accept_below, changed.curve.reject_from) == (0.5, 0.5)
    assert (changed.curve.repeatability, changed.latency_ms) == (0.9, 7.0)


def test_the_threshold_lever_takes_the_chosen_point_or_a_number():
    chosen = applied(lever({"threshold": "chosen"}, kind="threshold"), TODAY, CHOICES)
    assert (chosen.curve.accept_below, chosen.curve.reject_from) == (0.25, 0.6)
    given = applied(lever({"threshold": 0.3}, kind="threshold"), TODAY, CHOICES)
    assert (given.curve.accept_below, given.curve.reject_from) == (0.3, 0.3)


def test_half_the_errors_are_half_the_errors():
    changed = applied(lever({"errors": Scale(scale=0.5)}, kind="model"), TODAY, CHOICES)
    assert changed.curve.escape_rate() == pytest.approx(TODAY.curve.escape_rate() / 2)
    assert changed.curve.false_reject_rate() == pytest.approx(TODAY.curve.false_reject_rate() / 2)


def test_a_change_is_described_in_a_few_words():
    assert described(lever({"stations.press.repair.mean": Scale(scale=0.8)})) == "stations.press.repair.mean −20 %"
    assert described(lever({"source.plan": "grouped", "buffer_1": Add(add=4)})) == "source.plan = grouped, buffer_1 +4"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"model": "int4"}, "model: unknown name 'int4'; did you mean 'int8'?"),
        ({"threshold": "best"}, "threshold = 'best': expected 'chosen' or a number in [0, 1]"),
        ({"threshold": 1.5}, "threshold = 1.5: expected 'chosen' or a number in [0, 1]"),
        ({"errors": 0.5}, "errors = 0.5: expected {scale: 0.5}"),
        ({"stations.pres.cycle.mean": 1.0}, "did you mean 'press'?"),
        ({"buffer_1": -2}, "buffers.0 = -2: expected"),
    ],
)
def test_a_lever_that_cannot_be_applied_is_refused(change, expected):
    with pytest.raises(InputError) as caught:
        applied(lever(change), TODAY, CHOICES)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("change", "name", "expected"),
    [
        ({"stations.{statoin}.repair.mean": 1.0}, "x", "unknown name 'statoin'; did you mean 'station'?"),
        (
            {"stations.{station}.repair.mean": 1.0},
            "x",
            "no station has stations.{station}.repair.mean: remove the lever",
        ),
        ({"buffer_{buffer}": 1}, "{nubmer}", "its name may hold number, buffer in braces"),
    ],
)
def test_a_lever_that_cannot_be_repeated_is_refused(change, name, expected):
    with pytest.raises(InputError) as caught:
        expanded([lever(change, name=name)], serial_line(2, buffer=1))
    assert expected in str(caught.value)


def test_a_model_of_other_classes_is_refused():
    foreign = Model(camera_line().inspection.assumed.curve())
    with pytest.raises(InputError, match="knows the classes good, defect, today's good, crack"):
        applied(lever({"model": "other"}), TODAY, Choices({"other": foreign}, OperatingPoint(0.5, 0.5)))


def test_a_calendar_failure_can_be_configured_through_a_lever():
    line = serial_line(1, buffer=0, failure=50.0, repair=5.0)
    changed = applied(lever({"stations.m1.failure_clock": "calendar"}), Scenario("today", line), CHOICES)
    assert changed.line.stations[0].failure_clock == "calendar"
    assert changed.line.stations[0].failure == exponential(50.0)
