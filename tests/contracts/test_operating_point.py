from pathlib import Path

import pytest

from twinloop.contracts import OperatingPoint, Thresholds
from twinloop.errors import InputError
from twinloop.files import read_json, write_json

POINT = OperatingPoint(
    classes=("good", "crack"),
    model="0" * 64,
    accept_below=0.2,
    reject_from=0.8,
    calibration={"method": "platt", "slope": 1.5},
    heat_threshold=0.5,
    today=Thresholds(0.5, 0.5),
    line_defect_rate=0.03,
    prevalence=(0.97, 0.03),
    repeatability=0.8,
    costs={"escape": 120.0},
)


def test_a_point_survives_its_file(tmp_path: Path) -> None:
    POINT.save(tmp_path / "point.json")
    assert OperatingPoint.load(tmp_path / "point.json") == POINT


def test_what_a_station_does_not_need_may_be_missing(tmp_path: Path) -> None:
    POINT.save(tmp_path / "point.json")
    record = read_json(tmp_path / "point.json")
    for name in ("today", "line_defect_rate", "prevalence", "repeatability", "costs"):
        del record[name]
    write_json(tmp_path / "point.json", record)
    assert OperatingPoint.load(tmp_path / "point.json").today is None


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("{}", "it lacks accept_below, calibration, classes, heat_threshold, model, reject_from"),
        ("[1, 2]", "no operating point"),
        ("3", "no operating point"),
        ("not json", "no operating point"),
        (None, "found none: run the evaluate stage first"),
    ],
)
def test_another_content_is_refused_in_one_line(tmp_path: Path, content: str | None, line: str) -> None:
    path = tmp_path / "point.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=line) as said:
        OperatingPoint.load(path)
    assert "\n" not in str(said.value)


def test_a_key_of_another_version_is_named(tmp_path: Path) -> None:
    POINT.save(tmp_path / "point.json")
    write_json(tmp_path / "point.json", read_json(tmp_path / "point.json") | {"version": 9})
    with pytest.raises(InputError, match="unexpected keyword argument 'version'"):
        OperatingPoint.load(tmp_path / "point.json")
