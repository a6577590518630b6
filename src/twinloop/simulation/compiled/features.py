"""What the compiled engine does not know, by name: lines that use it run on the SimPy engine."""

from twinloop.errors import InputError
from twinloop.simulation.model.line import Line


def refused(line: Line) -> list[str]:
    """The features of a line that the compiled engine refuses, in plain words; empty when it can run it.

    >>> from twinloop.simulation.model.distributions import Distribution
    >>> from twinloop.simulation.model.station import Station
    >>> refused(Line(stations=(Station(name="oven", cycle=Distribution(kind="deterministic", mean=9), batch=4),)))
    ['batches']
    """
    stations = line.stations
    uses = {
        "orders": bool(line.source.orders),
        "operators": bool(line.operators),
        "materials": bool(line.materials) or any(station.materials for station in stations),
        "transport": line.transport is not None,
        "assembly": any(station.assembles for station in stations),
        "batches": any(station.batch > 1 for station in stations),
        "wear": any(station.wear is not None for station in stations),
        "maintenance": any(station.maintenance is not None for station in stations),
        "patience": any(station.patience is not None for station in stations),
        "loss": line.source.when_full == "lose",
        "priorities": line.source.prioritised,
        "cycles of variants": any(station.cycles for station in stations),
        "a set-up matrix": any(station.setups for station in stations),
        "speeds": any(station.speeds for station in stations),
        "shifts of the crew": line.crew is not None and bool(line.crew.shifts),
        "initial parts": bool(line.initial),
    }
    return [name for name, used in uses.items() if used]


def check_known(line: Line) -> None:
    """Raise InputError for a line that the compiled engine refuses, naming the features."""
    missing = refused(line)
    if missing:
        raise InputError(
            f"Design.engine = 'compiled': {line.name} has {', '.join(missing)}, which the compiled engine does not "
            "know: use engine='auto' or 'simpy'"
        )
