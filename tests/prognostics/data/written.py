"""Small sources of every layout, written for tests."""

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl


def lines(path: Path, *rows: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(rows) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def cmapss(folder: Path, *, subset: str = "FD001", suffix: str = ".txt", remaining: tuple[int, ...] = (7, 9)) -> Path:
    rng = np.random.default_rng(0)

    def units(lengths: tuple[int, ...]) -> list[str]:
        return [
            " ".join([str(unit), str(cycle), *(f"{x:.4f}" for x in rng.normal(size=24))]) + "  "
            for unit, length in enumerate(lengths, start=1)
            for cycle in range(1, length + 1)
        ]

    lines(folder / f"train_{subset}{suffix}", *units((30, 40, 35)))
    lines(folder / f"test_{subset}{suffix}", *units((20, 25)))
    lines(folder / f"RUL_{subset}{suffix}", *map(str, remaining))
    return folder


def obd(folder: Path) -> Path:
    header = "ENGINE_RUN_TINE (),ENGINE_RPM (),VEHICLE_SPEED (),COOLANT_TEMPERATURE (),SECRET ()"
    rows = [f"{k}.0, {800 + k}.0, {k % 50}.0, 81.0, 1.0," for k in range(90)]
    lines(folder / "drive1.csv.gz", header, *rows)
    lines(folder / "drive2.csv", header, *rows[:40])
    return folder


def nab(folder: Path) -> Path:
    rows = [f"2014-07-01 {k // 60:02d}:{k % 60:02d}:00,{k * 1.5}" for k in range(0, 600, 5)]
    lines(folder / "taxi.csv", "timestamp,value", *rows)
    windows = {"realKnownCause/taxi.csv": [["2014-07-01 02:00:00.000000", "2014-07-01 03:00:00.000000"]]}
    (folder / "labels").mkdir(parents=True)
    (folder / "labels/windows.json").write_text(json.dumps(windows))
    (folder / "profiles.json").write_text(json.dumps({"standard": {"CostMatrix": {"tpWeight": 1.0}}}))
    return folder


def ai4i(path: Path, *, rows: int = 60) -> Path:
    header = (
        "UDI,Product ID,Type,Air temperature [K],Process temperature [K],Rotational speed [rpm],Torque [Nm],"
        "Tool wear [min],Machine failure,TWF,HDF,PWF,OSF,RNF"
    )
    flags = {20: "1,1,0,0,0,0", 40: "1,0,0,1,1,0", 50: "1,0,0,0,0,0"}
    made = [
        f"{k},L{k},{'LMH'[k % 3]},{298 + k / 10},308.6,{1500 + k},{40 + k / 7},{3 * (k % 20)},"
        + flags.get(k, "0,0,0,0,0,0")
        for k in range(1, rows + 1)
    ]
    return lines(path, header, *made)


def azure(folder: Path) -> Path:
    stamps = pl.datetime_range(pl.datetime(2015, 1, 1, 6), pl.datetime(2015, 1, 9, 5), "1h", eager=True)
    rows = [
        f"{t:%Y-%m-%d %H:%M:%S},{machine},{170 + k % 7},{450 + k % 11},{100 + k % 5},{40 + k % 3}"
        for machine in (1, 2)
        for k, t in enumerate(stamps)
    ]
    lines(folder / "PdM_telemetry.csv", "datetime,machineID,volt,rotate,pressure,vibration", *rows)
    lines(folder / "PdM_errors.csv", "datetime,machineID,errorID", "2015-01-03 07:00:00,1,error1")
    lines(
        folder / "PdM_maint.csv",
        "datetime,machineID,comp",
        "2015-01-05 06:00:00,1,comp4",
        "2015-01-04 06:00:00,2,comp1",
    )
    lines(folder / "PdM_failures.csv", "datetime,machineID,failure", "2015-01-05 06:00:00,1,comp4")
    lines(folder / "PdM_machines.csv", "machineID,model,age", "1,model3,18", "2,model4,7", "3,model4,2")
    return folder
