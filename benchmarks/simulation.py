"""The two simulation engines beside a hand-written SimPy model, how they grow, ten thousand replications, a service.

`python benchmarks/simulation.py --json` prints one JSON object. The line has 5 exponential stations, buffers of 5 and
breakdowns of operation; every figure includes the drawing of random numbers. Engines are compared by the CPU time of
one run, as the median over rounds in which each has its turn; what numba compiles is measured apart, in a process
with an empty cache. Growth is the slope of CPU time over stations, and over simulated minutes, both on log scales: 1 is
proportional. A move is one part through one station. Capacity: a closed population that thinks and asks, its durations
in one row of a table that every replication resamples, on cores that three stations share; each replication is run
with its draw and with the table as it was measured.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import simpy

from twinloop.simulation import (
    AssumedRates,
    Distribution,
    Economy,
    Inspection,
    Joint,
    Line,
    Operators,
    Source,
    Span,
    Station,
)
from twinloop.simulation.engine.inspection import Gate

ROOT = Path(__file__).resolve().parents[1]
STATIONS, BUFFER, FAILURE_MIN, REPAIR_MIN = 5, 5, 100.0, 10.0
MINUTES = 1e5
ROUNDS = 7
GROWTH_STATIONS, GROWTH_MINUTES = (5, 10, 20, 50, 100, 200), (1e4, 3e4, 1e5, 3e5, 1e6)
GROWTH_ROUNDS = 3
REPLICATIONS, REPLICATION_MINUTES, WORKERS = 10_000, 1000.0, 2
SAMPLE_S = 0.05
# A service: minutes of thinking, mean minutes of each component, cores they share, measured turns of the table.
USERS, HOURS, WARMUP_HOURS, CORES, TABLE_ROWS = 1_000, 20, 0.25, 64, 200
THINK_MIN, COMPONENTS, COMPONENT_MIN, TARGET_MIN = (
    0.2,
    ("hear", "find", "speak"),
    (0.35 / 60, 0.1 / 60, 0.15 / 60),
    1 / 60,
)
# What a line may have beside stations and buffers; tests/simulation/compiled holds each equal to SimPy row by row.
TAKEN = [
    "arrivals",
    "saturated source",
    "orders",
    "variants in lots",
    "routes",
    "branches",
    "several servers",
    "unequal machines",
    "cycles of variants",
    "set-up matrices",
    "breakdowns by either clock",
    "repair crew with shifts",
    "inspection and rework",
    "operators with shifts",
    "materials",
    "priorities",
    "loss when full",
    "parts at the start",
    "closed populations",
    "stations of unlimited servers",
    "spans",
    "joint rows",
]
COMPILING = "import benchmarks.simulation as bench; print(bench.first_and_second_run())"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON on one line")
    parser.add_argument(
        "--only",
        choices=["engines", "growth", "replications", "compilation", "capacity"],
        nargs="+",
        help="some parts only",
    )
    parser.add_argument("--minutes", type=float, default=MINUTES, help="simulated time of the comparison")
    parser.add_argument("--replications", type=int, default=REPLICATIONS)
    options = parser.parse_args()
    parts = options.only or ["compilation", "engines", "growth", "replications", "capacity"]
    figures: dict[str, Any] = {}
    if "compilation" in parts:
        figures |= compilation()
    if "engines" in parts:
        figures |= engines(options.minutes)
    if "growth" in parts:
        figures |= growth()
    if "replications" in parts:
        figures |= replications(options.replications)
    if "capacity" in parts:
        figures |= capacity()
    print(json.dumps(figures, indent=None if options.json else 2))


def by_hand(minutes: float, *, seed: int) -> int:
    """Parts that leave in `minutes`, as a SimPy user writes it: a process per station, stores between, no log."""
    env = simpy.Environment()
    stores = [simpy.Store(env, capacity=BUFFER) for _ in range(STATIONS - 1)]
    shipped = 0

    def station(
        inlet: simpy.Store | None, outlet: simpy.Store | None, rng: np.random.Generator
    ) -> Generator[simpy.Event, Any, None]:
        nonlocal shipped
        to_failure = rng.exponential(FAILURE_MIN)
        while True:
            part = (yield inlet.get()) if inlet else object()
            work = rng.exponential(1.0)
            while to_failure < work:
                yield env.timeout(to_failure)
                work -= to_failure
                yield env.timeout(rng.exponential(REPAIR_MIN))
                to_failure = rng.exponential(FAILURE_MIN)
            yield env.timeout(work)
            to_failure -= work
            if outlet:
                yield outlet.put(part)
            else:
                shipped += 1

    seeds = np.random.SeedSequence(seed).spawn(STATIONS)
    for inlet, outlet, child in zip([None, *stores], [*stores, None], seeds, strict=True):
        env.process(station(inlet, outlet, np.random.default_rng(child)))
    env.run(until=minutes)
    return shipped


def line(count: int = STATIONS) -> Line:
    """The same line, described, with `count` stations."""
    one = Station(
        name="m0",
        cycle=Distribution(kind="exponential", mean=1.0),
        failure=Distribution(kind="exponential", mean=FAILURE_MIN),
        repair=Distribution(kind="exponential", mean=REPAIR_MIN),
    )
    return Line(
        minutes_per_day=REPLICATION_MINUTES,
        stations=tuple(Station(**(vars(one) | {"name": f"m{number}"})) for number in range(1, count + 1)),
        buffers=(BUFFER,) * (count - 1),
        inspection=Inspection(assumed=AssumedRates(defect_rate=0.0, false_reject_rate=0.0)),
    )


def run_of(described: Line, minutes: float) -> Any:
    """One replication of a line with all key figures."""
    from twinloop.simulation.engine.run import Run

    return Run(
        line=described,
        gate=Gate.of(described.inspection.assumed.curve()),
        latency_ms=0.0,
        economy=Economy(),
        seed=1,
        replication=0,
        start=0.0,
        horizon=minutes,
    )


def growth() -> dict[str, Any]:
    """Slopes of the compiled engine's CPU time on log scales, moves a second, and which features it takes."""
    from twinloop.simulation.compiled.features import REASONS

    stations = [_compiled_seconds(line(count), MINUTES) for count in GROWTH_STATIONS]
    minutes = [_compiled_seconds(line(), horizon) for horizon in GROWTH_MINUTES]
    described = run_of(line(), GROWTH_MINUTES[-1])
    shipped = _figures(described)["throughput_per_day"] * GROWTH_MINUTES[-1] / REPLICATION_MINUTES
    return {
        "compiled_slope_stations": round(_slope(GROWTH_STATIONS, stations), 2),
        "compiled_slope_horizon": round(_slope(GROWTH_MINUTES, minutes), 2),
        "compiled_stations_s": dict(zip(map(str, GROWTH_STATIONS), (round(s, 3) for s in stations), strict=True)),
        "compiled_horizon_s": dict(zip(map(str, GROWTH_MINUTES), (round(s, 4) for s in minutes), strict=True)),
        "compiled_moves_per_s": round(shipped * STATIONS / minutes[-1]),
        "compiled_takes": TAKEN,
        "compiled_leaves_out": REASONS,
    }


def _figures(run: Any) -> dict[str, float]:
    from twinloop.simulation.compiled import run as compiled

    return compiled.outcomes([run])[0][0]


def _compiled_seconds(described: Line, minutes: float) -> float:
    """CPU seconds of one replication, the median over rounds after one that warms up."""
    run = run_of(described, minutes)
    _figures(run)
    return statistics.median(_cpu_seconds(lambda: _figures(run)) for _ in range(GROWTH_ROUNDS))


def _slope(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def engines(minutes: float) -> dict[str, float]:
    """CPU time over the hand-written model's: SimPy engine without and with its log in Parquet; times for compiled.

    compiled_speedup: all key figures, no log. compiled_log_speedup: with the whole log in memory.
    """
    from twinloop.simulation.compiled import run as compiled
    from twinloop.simulation.engine.run import simulate

    described = line()
    gate = Gate.of(described.inspection.assumed.curve())
    how: dict[str, Any] = {"seed": 1, "replication": 0, "minutes": minutes}
    run = run_of(described, minutes)
    with tempfile.TemporaryDirectory(prefix="twinloop-bench-") as temporary:
        turns: dict[str, Callable[[], object]] = {
            "hand": lambda: by_hand(minutes, seed=1),
            "log off": lambda: simulate(described, gate, silent=True, **how),
            "log on": lambda: simulate(described, gate, **how).save(Path(temporary) / "events.parquet"),
            "compiled": lambda: compiled.outcomes([run]),
            "compiled log": lambda: compiled.simulate(described, gate, **how),
        }
        rates = by_hand(minutes, seed=1) / minutes, compiled.outcomes([run])[0][0]["throughput_per_day"] / 1000
        if abs(rates[0] / rates[1] - 1) > 0.05:
            raise SystemExit(f"the hand-written model makes {rates[0]:.4f} parts per minute, the engine {rates[1]:.4f}")
        seconds: dict[str, list[float]] = {name: [] for name in turns}
        for turn in [turn for _ in range(1 + ROUNDS) for turn in turns]:
            seconds[turn].append(_cpu_seconds(turns[turn]))
    # The first round warms up.
    took = {name: statistics.median(times[1:]) for name, times in seconds.items()}
    return {
        "by_hand_s": round(took["hand"], 3),
        "simpy_ratio_log_off": round(took["log off"] / took["hand"], 2),
        "simpy_ratio_log_on": round(took["log on"] / took["hand"], 2),
        "compiled_speedup": round(took["hand"] / took["compiled"], 1),
        "compiled_log_speedup": round(took["hand"] / took["compiled log"], 1),
    }


def replications(count: int) -> dict[str, float]:
    """Wall seconds of `count` replications with all key figures on two workers, and the peak memory of all processes.

    The memory of a tenth as many replications is beside it.
    """
    _, few_gib = _watched(count // 10)
    seconds, peak_gib = _watched(count)
    return {
        f"replications_{count}_s": round(seconds, 2),
        "replications_peak_gib": round(peak_gib, 3),
        "replications_tenth_peak_gib": round(few_gib, 3),
    }


def service(users: int = USERS) -> Line:
    """Users who think, and ask what three components with durations in one row of a table work on with shared cores."""
    rng = np.random.default_rng(1)
    length = rng.lognormal(0.0, 0.6, TABLE_ROWS)
    means = dict(zip(COMPONENTS, COMPONENT_MIN, strict=True))
    stations = [Station(name="think", cycle=Distribution(kind="exponential", mean=THINK_MIN), unlimited=True)]
    for name, mean in means.items():
        values = tuple((mean * length * rng.lognormal(0.0, 0.2, TABLE_ROWS)).tolist())
        stations.append(Station(name=name, cycle=Distribution(kind="empirical", values=values), servers=CORES))
    names = list(means)
    return Line(
        name="service",
        minutes_per_day=60.0,
        source=Source(population=users),
        stations=tuple(stations),
        buffers=(users,) * len(names),
        operators=(Operators(name="core", count=CORES, skills=tuple(names)),),
        spans=(Span(name="answer", start=names[0], end=names[-1], target_min=TARGET_MIN),),
        joint=Joint(stations=tuple(names), renewed_at=names[0], resampled=True),
        inspection=Inspection(assumed=AssumedRates(defect_rate=0.0, false_reject_rate=0.0)),
    )


def capacity() -> dict[str, float]:
    """CPU seconds of replications of an hour; answers a minute, their 95th percentile, how busy the cores are."""
    described, how = service(), {"warmup_days": WARMUP_HOURS, "engine": "compiled"}
    described.run(days=0.01, replications=2, **{**how, "warmup_days": 0.1})
    results: list[Any] = []
    seconds = _cpu_seconds(lambda: results.append(described.run(days=1.0, replications=HOURS, **how)))
    (result,) = results
    return {
        f"capacity_{USERS}_users_{HOURS}_hours_cpu_s": round(seconds, 2),
        "capacity_answers_per_min": round(result["answer_per_min"].mean, 1),
        "capacity_p95_s": round(60 * result["answer_p95_min"].mean, 2),
        "capacity_p95_half_s": round(60 * result["answer_p95_min"].half_width, 2),
        "capacity_core_utilisation": round(result["core_utilisation"].mean, 3),
    }


def compilation() -> dict[str, float]:
    """Seconds that the first run of a fresh installation spends on compiling."""
    with tempfile.TemporaryDirectory(prefix="twinloop-bench-") as cache:
        outer = os.environ | {"NUMBA_CACHE_DIR": cache, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
        command = [sys.executable, "-c", COMPILING]
        first, again = (
            float(subprocess.run(command, env=outer, check=True, capture_output=True, text=True).stdout)
            for _ in range(2)
        )
    return {"compilation_s": round(first, 1), "compiled_before_s": round(again, 2)}


def first_and_second_run() -> float:
    """CPU seconds by which the first compiled run of this process takes longer than the second."""
    from twinloop.simulation.compiled import run as compiled

    described = line()
    gate = Gate.of(described.inspection.assumed.curve())

    def short() -> object:
        return compiled.simulate(described, gate, seed=1, replication=0, minutes=REPLICATION_MINUTES)

    return _cpu_seconds(short) - _cpu_seconds(short)


def _cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _watched(count: int) -> tuple[float, float]:
    """Wall seconds of a process that runs `count` replications, and the peak memory of its tree in GiB."""
    from benchmarks.memory import finished

    code = (
        "import benchmarks.simulation as bench; "
        f"bench.line().run(days=1, replications={count}, warmup_days=0, engine='compiled', workers={WORKERS})"
    )
    outer = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code], env=outer, stdout=sys.stderr)
    status, peak_gib = finished(process, every_s=SAMPLE_S)
    seconds = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f"{count} replications: exit status {status}")
    return seconds, peak_gib


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
