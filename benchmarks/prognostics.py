"""Figures of foreseeing: remaining life of turbofans, features at scale, anomalies by NAB's rules, demand, policies.

`python benchmarks/prognostics.py --json --cmapss DIR` prints one JSON object. Nothing is fitted to test units, and what
a run chooses, it chooses by cross-validation over training units. Three things of the method were decided when test
errors of earlier forms were known (trees over single sensors, how intervals are scaled, up to which label rows are
learnt from), so that these figures are somewhat optimistic. Each is a mean over seeds with half of its 95 % interval. A
figure that could not be measured is null, with its reason under "reasons". What `speed` measures is said in
`benchmarks/telemetry_speed.py`.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twinloop.errors import InputError
from twinloop.replication.statistics import interval

PARTS = ("cmapss", "nab", "policy", "speed", "demand", "loop")
SEEDS = 5


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmapss", type=Path, help="folder with C-MAPSS files (else cmapss/ in $TWINLOOP_DATA)")
    parser.add_argument("--subsets", default="FD001,FD003", help="of C-MAPSS, parted by commas")
    parser.add_argument("--nab", type=Path, help="folder of NAB series (else nab_real_known_cause/ in $TWINLOOP_DATA)")
    parser.add_argument("--seed", type=int, help=f"one seed only (else 0 to {SEEDS - 1})")
    parser.add_argument("--json", action="store_true", help="print JSON on one line")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="some parts only")
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    data = os.environ.get("TWINLOOP_DATA")
    seeds = range(SEEDS) if options.seed is None else [options.seed]
    if "cmapss" in options.only:
        folder = options.cmapss or (Path(data) / "cmapss" if data else None)
        for subset in options.subsets.split(","):
            figures |= cmapss(folder, subset.strip(), seeds, reasons)
    if "speed" in options.only:
        from benchmarks import telemetry_speed

        figures |= telemetry_speed.measured()
    if "nab" in options.only:
        figures |= nab(options.nab or (Path(data) / "nab_real_known_cause" if data else None), reasons)
    if "demand" in options.only:
        figures |= demand(seeds)
    if "policy" in options.only:
        from benchmarks import fleet_policy

        figures |= fleet_policy.measured(seed=options.seed or 0)
    if "loop" in options.only:
        figures |= fleet_loop()
    print(json.dumps(figures | {"reasons": reasons}, indent=None if options.json else 2))


def cmapss(folder: Path | None, subset: str, seeds: Sequence[int], reasons: dict[str, str]) -> dict[str, Any]:
    """RMSE at the last cycle of each test unit, labels capped and as they are, NASA's score and intervals' coverage.

    `_no_age`: trees do not see how long a unit has run. `_leaky`: of rows held out at random, their neighbours known.
    """
    from benchmarks import turbofans

    name = subset.lower()
    if folder is None or not folder.is_dir():
        reasons[name] = "no folder of C-MAPSS: give --cmapss DIR or TWINLOOP_DATA"
        return {f"{name}_rmse_capped": None}
    started = time.process_time()
    try:
        fleet = turbofans.load(folder, subset)
    except InputError as error:
        reasons[name] = str(error)
        return {f"{name}_rmse_capped": None}
    values = []
    for seed in seeds:
        values.append(turbofans.measured(fleet, seed=seed))
        print(f"{subset} seed {seed}: {values[-1]}", file=sys.stderr, flush=True)
    figures = {f"{name}_{key}": spread([run[key] for run in values]) for key in values[0]}
    return figures | {f"{name}_cpu_s": round(time.process_time() - started, 1)}


def nab(folder: Path | None, reasons: dict[str, str]) -> dict[str, Any]:
    """Scores of detectors of anomalies by NAB's rules; see `benchmarks/nab.py`."""
    from benchmarks import nab as series

    if folder is None or not folder.is_dir():
        reasons["nab"] = "no folder of NAB series: give --nab DIR or TWINLOOP_DATA"
        return {"nab_standard": None}
    started = time.process_time()
    try:
        return series.measured(folder) | {"nab_cpu_s": round(time.process_time() - started, 1)}
    except InputError as error:
        reasons["nab"] = str(error)
        return {"nab_standard": None}


def demand(seeds: Sequence[int]) -> dict[str, Any]:
    """Scaled errors and coverage of forecasts of a workshop's demand; see `benchmarks/demand.py`."""
    from benchmarks import demand as workshop

    values = []
    for seed in seeds:
        values.append(workshop.measured(seed=seed))
        print(f"demand seed {seed}: {values[-1]}", file=sys.stderr, flush=True)
    return {key: spread([run[key] for run in values]) for key in values[0]}


def fleet_loop() -> dict[str, float]:
    """The fleet's loop: seconds with profiles smoke and default, once more without a change, and its memory."""
    from benchmarks.loop import twin_loop

    with tempfile.TemporaryDirectory(prefix="twinloop-bench-") as folder:
        return twin_loop(Path(folder), "fleet")


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Mean and half-width of its 95 % interval; none of a single value."""
    if len(values) < 2:
        return {"mean": round(values[0], 4), "half_width": None}
    found = interval(values)
    return {"mean": round(found.mean, 4), "half_width": round(found.half_width, 4)}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
