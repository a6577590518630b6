"""Risks of machines that are repaired as they fail: how many failures are to be expected, the repaired ones' included.

A RiskTable tells of the failure that comes first. With F its distribution, and that of a new machine behind every
repair, the expected number m solves the renewal equation m(t) = F(t) + ∫ m_new(t − s) dF(s) (Cox, 1962).
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import RiskTable
from twinloop.contracts.clock import check_clock
from twinloop.contracts.risk_table import SCHEMA, Hazard
from twinloop.errors import InputError

Floats = NDArray[np.float64]
STEPS = 400


def with_repairs(risks: RiskTable, renewed: RiskTable, *, hours: float) -> RiskTable:
    """The table whose `failures` within up to `hours` count those of repaired machines too.

    renewed: the same components as new. The interval is a point. Raises InputError for hours that are not above 0, for
    two clocks, and for a component that `renewed` lacks.
    """
    if not 0 < hours < np.inf:
        raise InputError(f"risks with repairs: hours = {hours:g}: expected a finite number above 0")
    check_clock("risks with repairs", renewed.clock, expected=risks.clock, remedy="give both by one clock")
    grid, parts = np.linspace(0.0, hours, STEPS + 1), [pl.DataFrame(schema=SCHEMA)]
    for asset in risks.assets:
        rows = risks.frame.filter(asset=asset)
        for component, hazard in risks.components(asset).items():
            known = renewed.components(asset)
            if component not in known:
                raise InputError(f"risks with repairs: {asset}/{component}: expected it among the renewed ones too")
            count = expected_failures(_failing(hazard, grid), _failing(known[component], grid))
            probability = -np.expm1(-count[1:])
            parts.append(
                pl.DataFrame(
                    {
                        "asset": [asset] * STEPS,
                        "component": [component] * STEPS,
                        "horizon_hours": grid[1:],
                        **dict.fromkeys(("probability", "low", "high"), probability),
                        "severity": [rows.filter(component=component)["severity"][0]] * STEPS,
                        "cost": [hazard.cost] * STEPS,
                    },
                    schema=SCHEMA,
                )
            )
    return RiskTable.of(pl.concat(parts), issued_min=risks.issued_min, clock=risks.clock)


def expected_failures(first: Floats, renewed: Floats) -> Floats:
    """[n] expected failures at even steps of time from 0 on, from the distributions [n] of the first failure.

    first: of the machine as it is; renewed: of a repaired one. Trapezoids, the step that is sought included.
    """
    new = _renewals(renewed, renewed, None)
    return _renewals(first, renewed, new)


def _renewals(first: Floats, renewed: Floats, behind: Floats | None) -> Floats:
    """`behind`: failures to be expected behind each repair; None where these are the ones that are sought."""
    count, step = np.zeros(len(first)), np.diff(first)
    for n in range(1, len(first)):
        later = count if behind is None else behind
        # A failure in step j leaves between n − j and n − j + 1 steps.
        mean = (later[n - 1 :: -1] + later[n:0:-1]) / 2
        total = first[n] + float(step[:n] @ mean)
        count[n] = total / (1 - step[0] / 2) if behind is None else total
    return count


def _failing(hazard: Hazard, grid: Floats) -> Floats:
    failing: Floats = -np.expm1(-np.asarray(hazard.until(grid), np.float64))
    return failing
