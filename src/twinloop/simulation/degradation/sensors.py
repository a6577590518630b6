"""Sensors and a PLC as an event log and its wear would have shown them: Telemetry of a simulated plant.

Temperature is a first-order thermal model (a body with one time constant), driven by the mean load of each sampling
interval; vibration grows with wear as in rotating machines; power depends on the state. The PLC gives the state's code
and a counter of parts. What a predictor may see is here; the wear level itself is not.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import Telemetry
from twinloop.replication.streams import Streams
from twinloop.simulation.degradation.history import WORKING, History, histories
from twinloop.simulation.events.log import DOWN, MAINTENANCE, SETUP, STARVED, EventLog
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.physics import Physics

Floats = NDArray[np.float64]
UNITS = {"temperature": "°C", "vibration": "mm/s", "power": "kW", "state": "code", "count": "parts"}


def telemetry(line: Line, log: EventLog, physics: Physics | None = None, *, seed: int, replication: int) -> Telemetry:
    """What the sensors of every machine show during the run that wrote the log, a pure function of its arguments.

    The value of `state` is the index of the machine's state in events.log.STATES at that moment; `count` is how many
    parts it has taken up by then. `seed` and `replication` are those of the run.
    """
    constants, streams = physics or Physics(), Streams(seed, replication)
    frames = []
    for history in histories(line, log, seed=seed, replication=replication):
        time: Floats = np.arange(1.0, int(log.horizon / constants.sample_min) + 1) * constants.sample_min
        noise = streams.generator(history.asset, "sensors").standard_normal((3, len(time)))
        row = {"asset": history.asset, "time_min": time, **dict(_signals(history, time, constants, noise))}
        frames.append(pl.DataFrame(row))
    return Telemetry.of(frames, units=UNITS)


def _signals(history: History, time: Floats, physics: Physics, noise: Floats) -> Iterator[tuple[str, Floats]]:
    def share(*states: int) -> Floats:
        return np.diff(history.minutes_in(states, time), prepend=0.0) / physics.sample_min

    worn = history.wear_share(time)
    work, setup, off = share(*WORKING), share(SETUP), share(DOWN, MAINTENANCE)
    yield "temperature", temperature(work, worn, physics) + physics.temperature_noise_c * noise[0]
    vibration = physics.rest_mm_s + work * (physics.work_mm_s + physics.wear_mm_s * worn**2)
    yield "vibration", vibration * np.exp(physics.vibration_noise * noise[1])
    rest = np.maximum(1 - work - setup - off, 0.0)
    power = rest * physics.rest_kw + setup * physics.setup_kw + work * (physics.work_kw + physics.wear_kw * worn)
    yield "power", power * np.exp(physics.power_noise * noise[2])
    now = np.searchsorted(history.time, time, side="right") - 1
    yield "state", (history.state[now] - STARVED).astype(np.float64)
    yield "count", _taken(history)[now].astype(np.float64)


def temperature(work: Floats, worn: Floats, physics: Physics) -> Floats:
    """°C at the end of each sampling interval by shares of work and of wear [n], from the ambient on.

    dT/dt = (drive - T) / thermal_min, solved exactly for a drive that is constant in each interval.
    """
    from scipy.signal import lfilter

    keeps = float(np.exp(-physics.sample_min / physics.thermal_min))
    rise: Floats = lfilter([1 - keeps], [1, -keeps], work * (physics.work_rise_c + physics.wear_rise_c * worn))
    return physics.ambient_c + rise


def _taken(history: History) -> NDArray[np.int64]:
    """[n] parts taken up until each change of state; work that goes on after a breakdown is no new part."""
    working = np.isin(history.state, WORKING)
    parts = history.part[working]
    taken = np.zeros(len(history.state), dtype=np.int64)
    taken[working] = np.append(1, parts[1:] != parts[:-1])[: len(parts)]
    return taken.cumsum()
