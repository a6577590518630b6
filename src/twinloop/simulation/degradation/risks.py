"""How likely a machine is to fail within the next hours of work, counted from the lives it has had: the RiskTable.

Failures over hours of work are taken as a constant hazard; the interval is the exact one for a Poisson count
(Garwood 1936), so that few failures are seen to say little.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from twinloop.contracts import Risk, RiskTable
from twinloop.errors import InputError
from twinloop.numbers import MINUTES_PER_HOUR
from twinloop.simulation.degradation.history import WORKING, History


def risk_table(
    histories: Iterable[History],
    *,
    horizons_hours: Sequence[float],
    cost: float,
    component: str = "wear part",
    severity: int = 5,
    confidence: float = 0.95,
) -> RiskTable:
    """One row per machine that wears and horizon (hours of work); `cost` in euro of one failure.

    Several histories of one machine, as replications have them, are counted together.

    Raises InputError for a machine that has done no work.
    """
    by_asset: dict[str, list[History]] = {}
    for history in histories:
        if history.lives:
            by_asset.setdefault(history.asset, []).append(history)
    return RiskTable.of(
        Risk(
            asset=asset,
            component=component,
            horizon_hours=hours,
            probability=probability,
            low=low,
            high=high,
            severity=severity,
            cost=cost,
        )
        for asset, own in by_asset.items()
        for hours in horizons_hours
        for probability, low, high in [_failing(own, hours, confidence)]
    )


def _failing(own: Sequence[History], hours: float, confidence: float) -> tuple[float, float, float]:
    worked = sum(_worked_min(history) for history in own) / MINUTES_PER_HOUR
    if worked <= 0:
        raise InputError(f"risk table: {own[0].asset} has not worked: simulate more days")
    failures, outside = sum(life.failed for history in own for life in history.lives), (1 - confidence) / 2
    # Where settings are read, for which stages of every kind import this module, its second is not spent.
    from scipy.stats import chi2

    least = chi2.ppf(outside, 2 * failures) / 2 if failures else 0.0
    most = chi2.ppf(1 - outside, 2 * failures + 2) / 2
    mean, low, high = (-math.expm1(-count / worked * hours) for count in (failures, least, most))
    return float(mean), float(low), float(high)


def _worked_min(history: History) -> float:
    return float(history.minutes_in(WORKING, np.array([history.horizon]))[0])
