"""Small lines whose behaviour is known, and a curve whose rates are chosen, for the tests of the engine."""

import numpy as np

from twinloop.contracts import OperatingCurve
from twinloop.simulation import AssumedRates, Distribution, Inspection, Line, Rework, Source, Station
from twinloop.simulation.engine.inspection import Gate
from twinloop.simulation.engine.run import simulate
from twinloop.simulation.events.log import EventLog

PERFECT = Inspection(assumed=AssumedRates(defect_rate=0.0, escape_rate=0.0, false_reject_rate=0.0))


def fixed(mean: float) -> Distribution:
    return Distribution(kind="deterministic", mean=mean)


def exponential(mean: float = 1.0) -> Distribution:
    return Distribution(kind="exponential", mean=mean)


def serial_line(stations: int, *, buffer: int, failure: float | None = None, repair: float | None = None) -> Line:
    """Exponential stations of rate 1, saturated; with `failure` and `repair` means they are unreliable."""
    return Line(
        name="serial",
        minutes_per_day=1000.0,
        stations=tuple(
            Station(
                name=f"m{number}",
                cycle=exponential(),
                failure=exponential(failure) if failure else None,
                repair=exponential(repair) if repair else None,
            )
            for number in range(1, stations + 1)
        ),
        buffers=(buffer,) * (stations - 1),
        inspection=PERFECT,
    )


def queue(*, arrivals: float, servers: int = 1) -> Line:
    """M/M/c with service rate 1 per server."""
    return Line(
        name="queue",
        minutes_per_day=1000.0,
        source=Source(interarrival=exponential(1 / arrivals)),
        stations=(Station(name="desk", cycle=exponential(), servers=servers),),
        inspection=PERFECT,
    )


def camera_line(*, rework: Rework | None = None, max_looks: int = 2, **assumed: float) -> Line:
    """A press and a camera, nothing random but the parts themselves."""
    return Line(
        name="camera line",
        minutes_per_day=1000.0,
        stations=(Station(name="press", cycle=fixed(1.0)), Station(name="camera", cycle=fixed(0.2), inspects=True)),
        buffers=(3,),
        inspection=Inspection(max_looks=max_looks, assumed=AssumedRates(**assumed)),
        rework=rework,
    )


def curve(
    *,
    accept: float = 0.3,
    reject: float = 0.7,
    rho: float = 0.5,
    prevalence: tuple[float, float] = (0.5, 0.5),
    draws: int = 0,
    spread: float = 0.0,
    model: str = "uniform",
) -> OperatingCurve:
    """Classes good and crack whose score is uniform: a look accepts with `accept` and rejects with 1 - `reject`.

    Draws shift the crack's distribution by normal noise of width `spread`.
    """
    thresholds = np.linspace(0.01, 0.99, 99)
    below = np.tile(thresholds, (1 + draws, 2, 1))
    shift = np.random.default_rng(5).normal(0, spread, draws) if draws else np.empty(0)
    below[1:, 1] = np.clip(below[1:, 1] + shift[:, None], 0, 1)
    return OperatingCurve(
        thresholds=thresholds,
        classes=("good", "crack"),
        below=below,
        prevalence=np.array(prevalence),
        counts=np.array([50, 50]),
        repeatability=rho,
        accept_below=accept,
        reject_from=reject,
        model=model,
    )


def log_of(line: Line, *, minutes: float, seed: int = 1, replication: int = 0, gate: Gate | None = None) -> EventLog:
    gate = gate or Gate.of(line.inspection.assumed.curve())
    return simulate(line, gate, seed=seed, replication=replication, minutes=minutes)
