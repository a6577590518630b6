"""What differs from variant to variant at a station: its cycle time, and the time to set up from one to another."""

from collections.abc import Sequence

from twinloop.errors import nearest
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.source import Variant
from twinloop.simulation.model.station import Station


def check_variants(stations: Sequence[Station], variants: Sequence[Variant]) -> None:
    """Raises ValueError for a cycle or a set-up of a variant that the line does not make."""
    names = [variant.name for variant in variants]
    for station in stations:
        named = [("cycles", name) for name in station.cycles]
        named += [("setups", name) for name in station.setups]
        named += [("setups", name) for onward in station.setups.values() for name in onward]
        for field, name in named:
            if name not in names:
                raise ValueError(f"station {station.name}: {field}: unknown variant {name!r}; {nearest(name, names)}")


def setup_time(station: Station, before: str, after: str) -> Distribution | None:
    """The time to set up for `after` when the machine is set up for another variant `before`; None for none."""
    return station.setups.get(before, {}).get(after, station.setup)


def mean_cycle(station: Station, variants: Sequence[Variant], weights: Sequence[float]) -> float:
    """Mean minutes at the station for `weights` [variants] pieces of work, on a machine of speed 1."""
    if not station.cycles:
        factor = sum(weight * variant.cycle_factor for weight, variant in zip(weights, variants, strict=True))
        return station.mean_cycle_min * factor
    return sum(
        weight * own.average
        if (own := station.cycles.get(variant.name))
        else weight * station.cycle.average * variant.cycle_factor
        for weight, variant in zip(weights, variants, strict=True)
    )


def mean_setup(station: Station, variants: Sequence[Variant], shares: Sequence[float]) -> float:
    """Mean minutes of set-up per lot where lots come in random order, `shares` [variants] of each."""
    if not station.setups:
        return station.setup.average * (1 - sum(share**2 for share in shares)) if station.setup else 0.0
    total = 0.0
    for before, share in zip(variants, shares, strict=True):
        for after, next_share in zip(variants, shares, strict=True):
            time = setup_time(station, before.name, after.name)
            if before is not after and time:
                total += share * next_share * time.average
    return total
