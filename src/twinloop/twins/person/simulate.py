"""How many people can talk to it at once: the measured service under load, what limits it, and what would make it more.

What was measured elsewhere says nothing of here: a profile of another machine, of other providers or another index is
refused unless the configuration allows by name what differs, and then the answer says so.
"""

import dataclasses

from twinloop.contracts import ServiceProfile
from twinloop.files import atomic, write_json
from twinloop.numbers import quantity
from twinloop.twins.person import paths
from twinloop.twins.person.config import PersonConfig
from twinloop.twins.person.load.capacity import capacity
from twinloop.twins.person.service import origin
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop person simulate"


def run(stage: Stage[PersonConfig]) -> str:
    """Write users, levers, workers, the answer and the stage's metrics; returns the summary line."""
    settings, out = stage.config.person.service, stage.root / paths.SIMULATION
    measured, pinned = (ServiceProfile.load(stage.root / path) for path in (paths.PROFILE, settings.profile))
    # Who plays each role and what is searched were measured in this run; the machine is the one that simulates.
    here = origin(measured.origin.providers, measured.origin.index)
    allowed = pinned.accepted(here, allowed=settings.allow)
    simulate, seed = stage.config.person.simulate, stage.config.seed
    found = capacity(pinned, settings, simulate, seed=seed, workers=stage.workers, elsewhere=allowed)
    for name, frame in {"users": found.users, "levers": found.levers, "workers": found.sizes}.items():
        with atomic(out / f"{name}.parquet") as temporary:
            frame.write_parquet(temporary)
    pinned.save(out / "profile.parquet")
    metrics = found.metrics() | {"profile": settings.profile, "measured_elsewhere": "; ".join(allowed)}
    answer = {
        "sentence": found.sentence,
        "users": found.greatest.mean,
        "users_low": found.greatest.low,
        "users_high": found.greatest.high,
        "target_s": settings.target_s,
        "share": settings.share,
        "bottleneck": found.bottleneck,
        "measured_elsewhere": list(allowed),
        "machine": pinned.origin.machine,
        "cores": found.service.cores,
        "currency": settings.currency,
        "people": found.people,
        "workers": None if found.workers is None else dataclasses.asdict(found.workers["workers"]),
        "cost_worker_hour": found.cost_hour,
    }
    write_json(out / "answer.json", answer)
    write_json(stage.root / paths.metrics("simulate"), metrics)
    for row in found.levers.iter_rows(named=True):
        stage.tracker.child(
            row["lever"], params={"lever": row["lever"]}, metrics={name: row[name] for name in ("users", "gain")}
        )
    point = found.point
    return (
        f"{metrics['users']} people at once ({metrics['users_low']} … {metrics['users_high']}) on "
        f"{found.service.cores} cores, p95 {quantity(point['p95_s'], 's')}; limited by {found.bottleneck}"
    )
