from pathlib import Path

import pytest
import yaml

from twinloop.config import Invalid, parse
from twinloop.errors import InputError
from twinloop.simulation import Economy, ExperimentSettings, Line, Station
from twinloop.simulation.model.overlay import overlaid

STATION = {"name": "press", "cycle": {"kind": "deterministic", "mean": 2.0}}
CAMERA = {"name": "camera", "cycle": {"kind": "deterministic", "mean": 1.0}, "inspects": True}
REWORK = {"cycle": {"kind": "deterministic", "mean": 5.0}}
LINE = {"stations": [STATION, CAMERA], "buffers": [2], "rework": REWORK}


@pytest.fixture
def assembly(repository: Path) -> Line:
    return Line.from_yaml(repository / "conf/factory/line/assembly.yaml")


def test_the_default_line_has_a_clear_bottleneck_and_a_close_second(assembly):
    minutes = sorted((assembly.minutes_per_part(position) for position in range(len(assembly.stations))), reverse=True)
    assert assembly.stations[assembly.bottleneck].name == "welding"
    assert 1.05 < minutes[0] / minutes[1] < 1.12


def test_the_configured_prices_are_those_a_notebook_starts_with(repository):
    configured = yaml.safe_load((repository / "conf/factory/economy/default.yaml").read_text())
    assert parse(Economy, configured) == Economy()


def test_the_configured_experiment_is_valid(repository):
    configured = yaml.safe_load((repository / "conf/factory/simulate/default.yaml").read_text())
    assert {lever.lever for lever in parse(ExperimentSettings, configured).levers} == {
        "threshold",
        "model",
        "maintenance",
        "buffer",
        "plan",
    }


def test_minutes_per_part_include_breakdowns_and_setups():
    station = STATION | {
        "setup": {"kind": "deterministic", "mean": 8.0},
        "failure": {"kind": "exponential", "mean": 100.0},
        "repair": {"kind": "exponential", "mean": 25.0},
        "servers": 2,
    }
    variants = [{"name": "a", "share": 1.0}, {"name": "b", "share": 1.0, "cycle_factor": 2.0}]
    line = parse(Line, {"stations": [station], "source": {"variants": variants, "lot_size": 4}})
    assert line.minutes_per_part(0) == pytest.approx((2.0 * 1.5 * 1.25 + 8.0 * 0.5 / 4) / 2)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stations": []}, "at least 1 item"),
        ({"stations": [STATION | {"servers": 0}, CAMERA]}, "expected an integer ≥ 1"),
        ({"stations": [STATION, STATION]}, "'press' comes twice"),
        ({"stations": [CAMERA, CAMERA | {"name": "second"}]}, "at most one station with inspects"),
        (
            {"stations": [STATION | {"failure": {"kind": "exponential", "mean": 9.0}}, CAMERA]},
            "failure and repair together",
        ),
        ({"buffers": []}, "expected 1 buffers, one between each two of 2 stations, got 0"),
        ({"buffers": [-1]}, "≥ 0"),
        ({"rework": REWORK | {"buffer": 0}}, "expected an integer ≥ 1"),
        ({"rework": REWORK | {"max_times": None}}, "expected an integer"),
        ({"rework": REWORK | {"max_times": 0}}, "expected an integer ≥ 1"),
        ({"rework": REWORK | {"returns_to": "pres"}}, "unknown station 'pres'; did you mean 'press'?"),
        (
            {"stations": [CAMERA, STATION], "rework": REWORK | {"returns_to": "press"}},
            "expected the inspecting station or one before it (camera)",
        ),
        ({"rework": REWORK | {"name": "press"}}, "'press' comes twice"),
        ({"rework": REWORK | {"success": 1.5}}, "≤ 1"),
        ({"stations": [STATION, CAMERA | {"inspects": False}]}, "no part would ever reach it"),
        ({"source": {"plan": "group"}}, "did you mean 'grouped'"),
        ({"minutes_per_day": 0.0}, "> 0"),
        ({"statoins": []}, "did you mean 'stations'"),
        ({"inspection": {"max_looks": 0}}, "expected an integer ≥ 1"),
    ],
)
def test_a_line_that_cannot_be_is_refused(changes, expected):
    with pytest.raises(Invalid) as caught:
        parse(Line, LINE | changes)
    assert expected in str(caught.value)


def test_a_line_changes_by_buffer_number_station_name_and_station_number(assembly):
    changed = assembly.with_(
        {
            "stations.pressing.repair.mean": 11.0,
            "stations.3.repair.mean": {"scale": 0.5},
            "buffers.1": {"add": 3},
            "rework.max_times": 2,
        },
        buffer_2=1,
    )
    assert changed.stations[1].repair.mean == 11.0
    assert changed.stations[2].repair.mean == assembly.stations[2].repair.mean / 2
    assert changed.buffers == (11, 1, 8, 8, 8)
    assert changed.rework.max_times == 2
    assert changed.with_({}) == changed != assembly


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("stations.weldin.repair.mean", 3.0, "unknown name 'weldin'; did you mean 'welding'?"),
        ("stations.welding.repiar.mean", 3.0, "unknown name 'repiar'; did you mean 'repair'?"),
        ("stations.7.servers", 3, "unknown name '7'; known: cutting, pressing"),
        ("buffer_9", 3, "unknown name '9'; known: 1, 2, 3, 4, 5"),
        ("buffer_0", 3, "unknown name '0'"),
        ("bufer_2", 3, "line: bufer_2: unknown name 'bufer_2'; did you mean 'buffer_2'?"),
        ("buffer_2", -3, "buffers.1 = -3: expected"),
        ("buffer_2", "many", "buffers.1 = 'many': expected an integer"),
        ("stations.camera.repair.mean", 3.0, "stations.camera.repair is None and has no 'mean'"),
        ("source.plan", {"scale": 2.0}, "source.plan = 'fifo': expected a number to scale"),
        ("stations.welding.repair.mean", float("nan"), "expected a finite number"),
    ],
)
def test_a_change_that_cannot_be_is_refused_with_the_nearest_name(assembly, path, value, expected):
    with pytest.raises(InputError) as caught:
        assembly.with_({path: value})
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_scaled_capacity_stays_whole():
    assert overlaid({"buffers": [3]}, {"buffers.1": {"scale": 1.5}}) == {"buffers": [4]}


def test_a_line_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"missing\.yaml: cannot be read \(No such file"):
        Line.from_yaml(tmp_path / "missing.yaml")
    (tmp_path / "torn.yaml").write_text("stations: [")
    with pytest.raises(InputError, match=r"line: .*torn\.yaml: expected YAML: while parsing"):
        Line.from_yaml(tmp_path / "torn.yaml")
    (tmp_path / "typo.yaml").write_text("stations: []\nname: 3")
    with pytest.raises(InputError, match=r"name = 3: expected a text"):
        Line.from_yaml(tmp_path / "typo.yaml")


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda: Line(stations=()), "Line.stations = (): expected at least 1 item, got 0"),
        (lambda: Line(stations=3), "Line.stations = 3: expected a list"),
        (lambda: Line(stations=(STATION, STATION)), "Line: expected different station names, 'press' comes twice"),
        (lambda: Line(statons=(STATION,)), "Line.statons: unknown key; did you mean 'stations'?"),
        (lambda: Line((STATION,)), "Line: expected named values only, like name=…"),
        (lambda: Station(name="a", cycle=3), "Station.cycle = 3: expected a mapping, or a Distribution"),
        (lambda: Line(stations=(STATION,)).run(days=1, workers=0), "Design.workers = 0: expected a number of"),
        (lambda: Line(stations=(STATION,)).run(days=1, workers="two"), "Design.workers = 'two': expected a number of"),
    ],
)
def test_a_line_built_by_hand_is_refused_in_one_line_reason_first(build, told):
    with pytest.raises(InputError, match="^[^\n]*$") as caught:
        build()
    assert str(caught.value).startswith(told)


def test_a_bad_yaml_says_the_reason_before_all_that_is_in_it(tmp_path):
    stations = [{**STATION, "name": f"station_{k % 19}"} for k in range(20)]
    (tmp_path / "line.yaml").write_text(yaml.safe_dump({"stations": stations, "buffers": [1] * 19}))
    with pytest.raises(InputError) as caught:
        Line.from_yaml(tmp_path / "line.yaml")
    assert str(caught.value).endswith("line.yaml: expected different station names, 'station_0' comes twice")
