"""A contract's file that somebody altered is refused in one line with the remedy, whatever was altered in it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.contracts.test_alert_curve import curve
from tests.contracts.test_diagnosis import diagnosis
from tests.contracts.test_operating_curve import curve as operating_curve
from tests.contracts.test_risk_table import risk
from tests.contracts.test_service_profile import profile
from twinloop.contracts import AlertCurve, OperatingCurve, RiskTable, ServiceProfile, Telemetry
from twinloop.contracts.diagnosis import load_diagnoses, save_diagnoses
from twinloop.errors import InputError

FRAME = pl.DataFrame({"asset": ["a", "a"], "time_min": [0.0, 1.0], "oil": [90.0, 91.0]})
CONTRACTS: dict[str, tuple[Callable[[Path], None], Callable[[Path], Any]]] = {
    "alert curve": (lambda path: curve().save(path), AlertCurve.load),
    "operating curve": (lambda path: operating_curve().save(path), OperatingCurve.load),
    "risk table": (lambda path: RiskTable.of([risk()]).save(path), RiskTable.load),
    "service profile": (lambda path: profile().save(path), ServiceProfile.load),
    "telemetry": (lambda path: Telemetry.of([FRAME], units={"oil": "°C"}).save(path), Telemetry.load),
    "diagnosis": (lambda path: save_diagnoses([diagnosis()], path), load_diagnoses),
}
VALUES = (None, "x", float("nan"), float("inf"), [], ["x"], {"x": 1}, True, 3)


@pytest.mark.parametrize("kind", CONTRACTS)
def test_an_altered_header_or_column_never_ends_in_a_traceback(kind: str, tmp_path: Path) -> None:
    save, load = CONTRACTS[kind]
    path = tmp_path / "it.parquet"
    save(path)
    (key,) = (name for name in pl.read_parquet_metadata(path) if name.startswith("twinloop."))
    header, frame = json.loads(pl.read_parquet_metadata(path)[key]), pl.read_parquet(path)
    texts = ["", "{", "[]", "null", "3", json.dumps({"version": header["version"]})]
    texts += [json.dumps({**header, name: value}) for name in header for value in VALUES]
    frames = [frame.drop(name) for name in frame.columns]
    frames += [frame.with_columns(pl.lit(value).alias(name)) for name in frame.columns for value in (None, "x", -1)]
    refused = []
    for table, text in [*((frame, text) for text in texts), *((one, json.dumps(header)) for one in frames)]:
        table.write_parquet(path, metadata={key: text})
        try:
            load(path)
        except InputError as error:
            refused.append(str(error))
    assert not any("\n" in line for line in refused)
    # A few are another file of the kind, as a model of another name.
    assert len(refused) > 0.6 * (len(texts) + len(frames))


@pytest.mark.parametrize(("name", "value"), [("failures", "4"), ("asset_months", -1), ("lead_levels", ["x"])])
def test_what_a_curve_was_measured_on_is_a_number(name: str, value: object, tmp_path: Path) -> None:
    path = tmp_path / "curve.parquet"
    curve().save(path)
    key = "twinloop.alert_curve"
    header = json.loads(pl.read_parquet_metadata(path)[key]) | {name: value}
    pl.read_parquet(path).write_parquet(path, metadata={key: json.dumps(header)})
    with pytest.raises(InputError, match="alert curve: .*: measure the predictor again"):
        AlertCurve.load(path)
