"""What a source of telemetry is taken for, and what is near where nothing fits."""

from pathlib import Path

import pytest

from tests.prognostics.data import written
from tests.prognostics.data.written import lines
from twinloop.errors import InputError
from twinloop.prognostics.data.inspection import inspect
from twinloop.prognostics.data.settings import DataSettings

ANY = DataSettings(zone="UTC")


def test_what_is_recognised_is_read_as_prepare_reads_it(tmp_path: Path) -> None:
    found = inspect(written.ai4i(tmp_path / "pieces.csv"), ANY)
    assert [one.layout.name for one in found.candidates] == ["ai4i"]
    assert found.record is not None
    assert found.record.leaks == ("Machine failure", "TWF", "HDF", "PWF", "OSF", "RNF")
    assert found.problem == ""


def test_what_cannot_be_read_is_told_with_its_layout(tmp_path: Path) -> None:
    found = inspect(written.azure(tmp_path), DataSettings())
    assert found.candidates[0].layout.name == "azure"
    assert found.record is None
    assert "DataSettings.zone" in found.problem


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("datetime,machineID,volt,rotate,pressure", "is near azure: it lacks vibration"),
        ("ENGINE_RPM (),VEHICLE_SPEED (),X ()", "is near obd: it lacks coolant_temperature"),
        ("Air temperature [K],Torque [Nm],Tool wear [min],Machine failure", "is near ai4i: it lacks rotational_speed"),
        ("speed,load", "has no column that is a time: name it timestamp"),
    ],
)
def test_a_table_that_no_layout_claims_is_told_what_it_lacks(tmp_path: Path, header: str, told: str) -> None:
    row = ",".join("1" for _ in header.split(","))
    path = lines(tmp_path / "mine.csv", header, row, row)
    found = inspect(path, DataSettings(kind="azure") if "datetime" in header else DataSettings())
    assert found.candidates == ()
    assert any(told in line for line in found.near), found.near


def test_a_series_without_its_windows_is_a_table_near_the_benchmark(tmp_path: Path) -> None:
    path = lines(tmp_path / "taxi.csv", "timestamp,value", *(f"2014-07-01 00:{k:02d}:00,{k}" for k in range(40)))
    found = inspect(path, ANY)
    assert found.candidates[0].layout.name == "table"
    assert found.near[0].startswith("taxi.csv is near nab: it lacks a JSON file of windows")


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        inspect(tmp_path / "gone", ANY)
