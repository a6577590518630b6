"""Make the machine code of the engines, which the first run would wait for otherwise (make setup)."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from twinloop.progress import clock, say

EXAMPLE = "python -m twinloop compile"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given: nothing."""


def run(options: argparse.Namespace, root: Path) -> int:
    """Put each engine to work on the least there is; what numba compiles then is kept on disk."""
    engines: dict[str, Callable[[], object]] = {"simulation": _line, "scheduling": _shops, "prognostics": _windows}
    for name, work in engines.items():
        start = time.monotonic()
        work()
        say(f"compile    {name} is machine code ✓   {clock(time.monotonic() - start)}")
    return 0


def _line() -> object:
    from twinloop.simulation import Line
    from twinloop.simulation.model.distributions import Distribution
    from twinloop.simulation.model.station import Station

    minute = Distribution(kind="exponential", mean=1.0)
    stations = tuple(Station(name=name, cycle=minute, failure=minute, repair=minute) for name in ("a", "b"))
    return Line(stations=stations, buffers=(2,)).run(days=1, replications=2, seed=0)


def _shops() -> object:
    from twinloop.scheduling.solvers.ready import ready

    return ready()


def _windows() -> object:
    import polars as pl

    from twinloop.contracts import Telemetry
    from twinloop.prognostics.features.reference import fit_reference
    from twinloop.prognostics.features.settings import FeatureSettings
    from twinloop.prognostics.features.stream import features

    rows = pl.DataFrame({"asset": ["a"] * 3, "time_min": [1.0, 2.0, 70.0], "x": [0.0, 1.0, 2.0], "y": [1.0, 0.0, 3.0]})
    telemetry, settings = Telemetry.of([rows], units={"x": "", "y": ""}), FeatureSettings()
    served = pl.DataFrame({"asset": ["a"], "kind": ["maintenance"], "time_min": [5.0]})
    return features(telemetry, fit_reference(telemetry, settings, seed=0), settings, events=served)
