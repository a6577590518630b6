"""The person's loop in a fresh clone that is set up, and how many people the chain that it makes serves.

person_repro_s, person_noop_s, person_peak_gib: by the clock, with profile default. users_per_core: people at once on
each core of this machine, from the run itself. person_1000_users_cpu_s: CPU seconds of 20 replications of an hour in
which 1 000 people talk to that chain on as many cores as hold them, each with its draw of the measured turns;
person_1000_users_interval_cpu_s: with the replications of the turns as they were measured, which an interval needs;
person_1000_users_s: all of them by the clock, in a process on each core of this machine.
"""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

USERS, HOURS, REPLICATIONS, WARMUP_HOURS = 1000, 1.0, 20, 0.05
METRICS = Path("data/person/metrics/simulate.json")


def measured(data: Path | None, work: Path, reasons: dict[str, str]) -> dict[str, Any]:
    """All figures of this part; they need no folder of data."""
    from benchmarks.loop import twin_loop
    from twinloop.contracts import ServiceProfile
    from twinloop.twins.person import paths

    with tempfile.TemporaryDirectory(prefix="twinloop-bench-") as folder:
        figures: dict[str, Any] = twin_loop(Path(folder), "person")
        clone = Path(folder) / "default"
        found = json.loads((clone / METRICS).read_text(encoding="utf-8"))
        profile = ServiceProfile.load(clone / paths.PROFILE)
    figures |= {"users_per_core": found["users_per_core"], "users_per_core_half": found["users_per_core_half"]}
    return figures | simulated(profile, found["workers_for_people"])


def simulated(profile: Any, cores: int | None) -> dict[str, float]:
    """Seconds of an hour with 1 000 people, 20 times with draws and 20 times without; compiled before."""
    from twinloop.simulation.events.kpi import kpis_of
    from twinloop.simulation.experiments.design import Design
    from twinloop.simulation.experiments.experiment import run_scenarios
    from twinloop.simulation.experiments.scenario import Scenario
    from twinloop.simulation.experiments.system import LineSystem
    from twinloop.twins.person.config import ServiceSettings
    from twinloop.twins.person.load.line import Service

    settings = ServiceSettings()
    line = Service(profile, cores or USERS, settings.think_s, settings.target_s).line(USERS)
    line.run(days=0.01, replications=2, warmup_days=WARMUP_HOURS, engine="compiled")
    how: dict[str, Any] = {"days": HOURS, "warmup_days": WARMUP_HOURS, "replications": REPLICATIONS}
    scenario, took = Scenario("service", line), []
    system = LineSystem.of(scenario, Design(**how, engine="compiled"))
    for drawn in (True, False):
        started = time.process_time()
        system.chunk(range(REPLICATIONS), kpis_of(line), drawn=drawn)()
        took.append(time.process_time() - started)
    began = time.perf_counter()
    run_scenarios([scenario], **how, engine="compiled", workers=-1)
    return {
        "person_1000_users_cpu_s": round(took[0], 1),
        "person_1000_users_interval_cpu_s": round(sum(took), 1),
        "person_1000_users_s": round(time.perf_counter() - began, 1),
    }
