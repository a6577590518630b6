"""Speed of foreseeing, for `benchmarks/prognostics.py`: windows beside a bare group-by, files beyond memory, a fleet.

`windows_s`: all features of hourly windows (as many columns as `windows_columns`) of 1.5 million rows of ten signals;
`windows_ratio`: to a group-by of polars over the same rows with 70 columns of aggregates, none of which remembers or is
dated. Both run in turns; values are medians. `windows_150m_s`: a hundred times as many rows in a hundred Parquet files
of ten assets each, read, turned into features and written as Parquet by a process of its own, whose peak of memory is
`windows_150m_gib`; `windows_150m_ratio`: its time per row to that of the first file alone. `fleet_10000_s`: from the
telemetry in memory of 10 000 vehicles (a week; 200 simulated ones under 50 names each) to their RiskTable, with
features and models of the default configuration, exported after training on 60 other vehicles.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks import booking
from benchmarks.memory import finished
from twinloop.config import parse
from twinloop.config.reading import read_yaml
from twinloop.contracts import Telemetry
from twinloop.files import read_json, write_json
from twinloop.prognostics.features.files import feature_files
from twinloop.prognostics.features.reference import Reference, fit_reference
from twinloop.prognostics.features.settings import FeatureSettings
from twinloop.prognostics.features.stream import features
from twinloop.prognostics.inference.graphs import export_hazard, open_hazard
from twinloop.prognostics.inference.risks import Consequence, asked, risk_table
from twinloop.prognostics.models.hazard import fit_hazard, tree_inputs
from twinloop.prognostics.models.sequences import Sequences
from twinloop.prognostics.models.settings import HazardSettings
from twinloop.prognostics.models.table import FeatureTable, component_age
from twinloop.simulation.fleet import StandardFleet, simulate_history
from twinloop.simulation.fleet.recorded import recorded

ROOT = Path(__file__).resolve().parents[1]
ROWS, ASSETS, FILES = 1_500_000, 10, 100
SENSORS = tuple(f"s{number}" for number in range(10))
UNITS = dict.fromkeys(SENSORS, "")
HOURLY = FeatureSettings(load="s0")
AGGREGATES: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "mean": pl.Expr.mean,
    "std": pl.Expr.std,
    "min": pl.Expr.min,
    "max": pl.Expr.max,
    "last": pl.Expr.last,
    "sum": pl.Expr.sum,
    "count": pl.Expr.count,
}
TRAINED, SIMULATED, NAMES = 60, 200, 50
TIMES = 5


def measured() -> dict[str, Any]:
    """All figures."""
    return windows() | files() | fleet() | books()


def windows() -> dict[str, float]:
    """Features of a table, and the bare group-by."""
    telemetry = Telemetry.of([_rows(0)], units=UNITS)
    reference = fit_reference(telemetry, HOURLY, seed=0)
    keyed = telemetry.frame.with_columns(window=pl.col("time_min") // HOURLY.window_min)
    wanted = [call(pl.col(name)).alias(f"{name}.{kind}") for name in SENSORS for kind, call in AGGREGATES.items()]
    columns = features(Telemetry(telemetry.frame.head(1000), UNITS), reference, HOURLY).width - 2  # compiles
    ours, bare = [], []
    for _ in range(TIMES):
        ours.append(_seconds(lambda: features(telemetry, reference, HOURLY)))
        bare.append(_seconds(lambda: keyed.group_by("asset", "window").agg(wanted)))
    return {
        "windows_s": round(statistics.median(ours), 3),
        "windows_columns": columns,
        "windows_bare_s": round(statistics.median(bare), 3),
        "windows_bare_columns": len(wanted),
        "windows_ratio": round(float(np.median(np.divide(ours, bare))), 2),
    }


def files(count: int = FILES) -> dict[str, float]:
    """Files of more rows than one wants in memory, by a process of its own."""
    with _folder() as folder:
        first = _rows(0)
        write_json(
            folder / "reference.json", fit_reference(Telemetry.of([first], units=UNITS), HOURLY, seed=0).record()
        )
        for number in range(count):
            place = folder / "rows" / f"{number:03d}.parquet"
            place.parent.mkdir(exist_ok=True)
            first.with_columns(pl.format("f{}-{}", pl.lit(number), "asset").alias("asset")).write_parquet(
                place, compression="lz4"
            )
        # As a module of the root: a script's own folder hides the package that it is in.
        command = [sys.executable, "-m", "benchmarks.telemetry_speed", folder]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert process.stdout is not None
        status, peak = finished(process, every_s=0.05)
        if status:
            raise SystemExit(f"the process that reads {count} files ended with status {status}")
        spent = json.loads(process.stdout.read())
    return {
        "windows_150m_rows": count * ROWS,
        "windows_150m_s": round(spent["all"], 1),
        "windows_150m_gib": round(peak, 2),
        "windows_150m_ratio": round(spent["all"] / count / spent["one"], 2),
    }


def read_files(folder: Path) -> dict[str, float]:
    """Seconds for the features of one file and of all of them."""
    reference = Reference.of(read_json(folder / "reference.json"))
    paths = sorted((folder / "rows").iterdir())

    def made(some: list[Path]) -> float:
        spent = _seconds(lambda: feature_files(some, folder / "windows", UNITS, reference, HOURLY))
        shutil.rmtree(folder / "windows")
        return spent

    made(paths[:1])  # compiles
    return {"one": statistics.median(made(paths[:1]) for _ in range(TIMES)), "all": made(paths)}


def fleet() -> dict[str, float]:
    """A week of a large fleet, scored by exported models."""
    settings = parse(FeatureSettings, read_yaml(ROOT / "conf/fleet/features/daily.yaml", "features"))
    hazard = parse(HazardSettings, read_yaml(ROOT / "conf/fleet/predictor/ensemble.yaml", "predictor"))
    with _folder() as folder:
        reference = _trained(settings, hazard, folder)
        telemetry, events, lives = _week()
        consequences = {name: Consequence(7, 2000.0, "Renew it.") for name in lives["component"].unique()}
        begun = time.perf_counter()
        made = features(telemetry, reference, settings, events=events)
        windowed = time.perf_counter()
        model, table = open_hazard(folder), FeatureTable.of(made)
        risks = risk_table(asked(model, table, lives), consequences, clock="calendar")
        ended = time.perf_counter()
    return {
        "fleet_10000_rows": len(telemetry),
        "fleet_10000_risks": len(risks),
        "fleet_10000_features_s": round(windowed - begun, 2),
        "fleet_10000_s": round(ended - begun, 2),
    }


def books() -> dict[str, Any]:
    """Of the workshop's book, what `benchmarks/booking.py` measures."""
    options = booking.options([])
    figures = booking.rebooking(options) | booking.visiting(options)
    return {name: figures[name] for name in ("rebook_2000_s", "rebook_2000_gap", "visits_2000_s")}


def _rows(seed: int) -> pl.DataFrame:
    """A row a minute of ten assets; sensors show two digits behind the point, as sensors do."""
    rng = np.random.default_rng(seed)
    each = ROWS // ASSETS
    values = {name: rng.normal(size=ROWS).round(2).astype(np.float32) for name in SENSORS}
    assets = np.repeat([f"v{number}" for number in range(ASSETS)], each)
    return pl.DataFrame({"asset": assets, "time_min": np.tile(np.arange(each, dtype=float), ASSETS), **values})


def _trained(settings: FeatureSettings, hazard: HazardSettings, folder: Path) -> Reference:
    """Writes the models that a small fleet teaches; returns what is usual there."""
    record = recorded(simulate_history(StandardFleet(vehicles=TRAINED).fleet(), days=180, seed=1))
    reference = fit_reference(record.telemetry, settings, seed=0)
    table = FeatureTable.of(features(record.telemetry, reference, settings, events=record.events))
    model = fit_hazard(table, record.lives, hazard, seed=0)
    rows = np.arange(0, len(table), max(len(table) // 200, 1))
    age = component_age(table, record.lives, next(iter(model.components)))[rows]
    sequences = Sequences.of(table.selected(model.signals), table.unit).windows(rows, hazard.network.length)
    export_hazard(model, folder, tree_inputs(table, model.columns, rows, age), sequences)
    return reference


def _week() -> tuple[Telemetry, pl.DataFrame, pl.DataFrame]:
    """Telemetry, events and lives of a week of the large fleet."""
    record = recorded(simulate_history(StandardFleet(vehicles=SIMULATED).fleet(), days=7, seed=2))

    def named(frame: pl.DataFrame) -> pl.DataFrame:
        # The number comes first: in order of names as they are.
        names = [pl.format("{}-{}", pl.lit(f"{k:02d}"), pl.col("asset").cast(pl.String)) for k in range(NAMES)]
        return pl.concat([frame.with_columns(asset=name) for name in names])

    rows = named(record.telemetry.frame)
    kind = pl.Enum(rows["asset"].unique().sort())
    telemetry = Telemetry(rows.with_columns(pl.col("asset").cast(kind)), record.telemetry.units)
    return telemetry, named(record.events), named(record.lives)


def _seconds(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="twinloop_speed_") as name:
        yield Path(name)


if __name__ == "__main__":
    print(json.dumps(read_files(Path(sys.argv[1]))))
