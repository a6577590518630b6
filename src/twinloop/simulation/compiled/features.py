"""What the compiled engine does not know, by name and with the reason: lines that use it run on the SimPy engine."""

from twinloop.errors import InputError
from twinloop.simulation.model.line import Line

# Why each stays out. All else that a line can be is followed, row by row.
REASONS = {
    "transport": "a trip promises room before it begins",
    "assembly": "kits take parts out of turn",
    "batches": "a batch waits for its parts and for its alarm",
    "admission": "who finds no token waits in front of every queue",
    "wear": "every row tells a health that is read off a whole path of wear",
    "maintenance": "its policies are functions of that path",
    "patience": "waiting parts have clocks of their own",
}


def refused(line: Line) -> list[str]:
    """The features of a line that the compiled engine refuses, in plain words; empty when it can run it.

    >>> from twinloop.simulation.model.distributions import Distribution
    >>> from twinloop.simulation.model.station import Station
    >>> refused(Line(stations=(Station(name="oven", cycle=Distribution(kind="deterministic", mean=9), batch=4),)))
    ['batches']
    """
    stations = line.stations
    uses = {
        "transport": line.transport is not None,
        "assembly": any(station.assembles for station in stations),
        "batches": any(station.batch > 1 for station in stations),
        "admission": any(span.limit is not None for span in line.spans),
        "wear": any(station.wear is not None for station in stations),
        "maintenance": any(station.maintenance is not None for station in stations),
        "patience": any(station.patience is not None for station in stations),
    }
    return [name for name in REASONS if uses[name]]


def check_known(line: Line) -> None:
    """Raise InputError for a line that the compiled engine refuses, naming the features and why they stay out."""
    missing = refused(line)
    if missing:
        reasons = "; ".join(f"{name} ({REASONS[name]})" for name in missing[:2])
        more = f" and {', '.join(missing[2:])}" if missing[2:] else ""
        raise InputError(
            f"Design.engine = 'compiled': {line.name} has {reasons}{more}, which the compiled engine does not know: "
            "use engine='auto' or 'simpy'"
        )
