"""Key figures of a line that serves: how many come through its spans, how long that takes them, and who is lost.

They take the place of the figures of production where a line has spans. Response times are told by their mean and
percentiles, as their tails are long; each figure is one number per replication, so that intervals are those of all
replicated experiments.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from twinloop.errors import RunError
from twinloop.replication.kpi import Kpi
from twinloop.simulation.events.log import RUNNING, SETUP, STARVED, WARNING
from twinloop.simulation.events.measured import Measured
from twinloop.simulation.model.entities import entities, numbered
from twinloop.simulation.model.line import Line

PERCENTILES = (50, 95, 99)
BUSY = tuple(state - STARVED for state in (RUNNING, SETUP, WARNING))

Told = dict[str, tuple[Kpi, Callable[[Measured], float]]]


def service_figures(line: Line) -> Told:
    """Key figure by name, with how it follows from what was measured.

    Of every span: throughput, mean and percentiles of the time, share within the target. Losses are shares of those
    who come for the first span. Utilisation is that of a station's machines, and of people.
    """
    told: Told = {}
    for number, span in enumerate(line.spans):
        name, title = span.name, span.name.replace("_", " ").capitalize()
        told[f"{name}_per_min"] = Kpi(f"{title}: throughput", "1/min", least=0.0), partial(_rate, number)
        told[f"{name}_mean_min"] = Kpi(f"{title}: mean", "min", least=0.0, level=True), partial(_mean, number)
        for percent in PERCENTILES:
            kpi = Kpi(f"{title}: p{percent}", "min", least=0.0, level=True)
            told[f"{name}_p{percent}_min"] = kpi, partial(_percentile, number, percent)
        if span.target_min is not None:
            kpi = Kpi(f"{title}: within {span.target_min:g} min", least=0.0, most=1.0, level=True)
            told[f"{name}_within"] = kpi, partial(_within, number, span.target_min)
    if line.loses:
        told["refused_share"] = Kpi("Turned away", least=0.0, most=1.0), _refused
        told["abandoned_share"] = Kpi("Gave up", least=0.0, most=1.0), _abandoned
        told["lost_per_min"] = Kpi("Lost", "1/min", least=0.0), _lost
    places = [(station.name, station.servers) for station in line.stations if not station.unlimited]
    places += [(group.name, group.count) for group in line.operators]
    for name, count in places:
        told[f"{name}_utilisation"] = Kpi(f"{name}: busy", least=0.0, most=1.0), partial(_busy, numbered(name, count))
    return told


def check_served(measured: Measured) -> None:
    """Raises RunError where nobody has been through a span."""
    for span, taken in zip(measured.line.spans, measured.spans, strict=True):
        if not len(taken):
            raise RunError(
                f"simulate: no part has been through span {span.name} of {measured.line.name} in the "
                f"{measured.window_min:g} minutes after the warm-up: simulate longer, or check whether its way leads "
                f"from {span.start} to {span.end}"
            )


def _rate(span: int, measured: Measured) -> float:
    return len(measured.spans[span]) / measured.window_min


def _mean(span: int, measured: Measured) -> float:
    return float(measured.spans[span].mean())


def _percentile(span: int, percent: int, measured: Measured) -> float:
    return float(np.percentile(measured.spans[span], percent))


def _within(span: int, target: float, measured: Measured) -> float:
    return float((measured.spans[span] <= target).mean())


def _share(count: float, measured: Measured) -> float:
    return count / (len(measured.spans[0]) + measured.counts["lost"])


def _refused(measured: Measured) -> float:
    return _share(measured.counts["refused"], measured)


def _abandoned(measured: Measured) -> float:
    return _share(measured.counts["lost"] - measured.counts["refused"], measured)


def _lost(measured: Measured) -> float:
    return measured.counts["lost"] / measured.window_min


def _busy(names: list[str], measured: Measured) -> float:
    known = entities(measured.line)
    rows = measured.minutes[[known.index(name) for name in names]]
    return float(rows[:, BUSY].sum() / rows.sum())
