"""What a hazard model says now, as the records that plans are made from: RiskTable and Diagnosis."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import Diagnosis, RiskTable
from twinloop.contracts.clock import Clock
from twinloop.errors import unknown
from twinloop.prognostics.inference.reasons import Reasons, reasons
from twinloop.prognostics.models.hazard import HazardModel
from twinloop.prognostics.models.periods import failure_by
from twinloop.prognostics.models.table import FeatureTable

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
OTHERS = "all others"


class Consequence(NamedTuple):
    """Of one failure: severity 1 to 10 as in an FMEA, cost in euro, and what to do about its risk, in a sentence."""

    severity: int
    cost: float
    action: str


class Asked(NamedTuple):
    """What a model's members say of a table's rows [N]: component → member → calibrated hazards [N, D]."""

    model: HazardModel
    table: FeatureTable
    lives: pl.DataFrame
    rows: Rows
    members: Mapping[str, Mapping[str, Floats]]

    @property
    def last(self) -> "Asked":
        """Of each asset's last row alone. Raises ValueError where not every row was asked about."""
        if len(self.rows) != len(self.table):
            raise ValueError("expected every row of the table to have been asked about")
        chosen = self.table.last
        members = {
            name: {member: hazard[chosen] for member, hazard in own.items()} for name, own in self.members.items()
        }
        return self._replace(rows=chosen, members=members)


def asked(model: HazardModel, table: FeatureTable, lives: pl.DataFrame, rows: Rows | None = None) -> Asked:
    """Ask the model about rows of the table, each asset's last one unless given.

    lives: asset, component, begin_min; only what began until a row's time is looked at.
    """
    rows = table.last if rows is None else rows
    members = {name: model.member_hazards(table, lives, name, rows) for name in model.components}
    return Asked(model, table, lives, rows, members)


def risk_table(told: Asked, consequences: Mapping[str, Consequence], *, clock: Clock) -> RiskTable:
    """Every asset's and component's probability of failure until each day ahead of the row that was asked about.

    The interval spans what the members say, each calibrated alone. Issued at the latest window of all: an asset that
    has been silent is judged by what it last showed. Raises InputError for a component without a consequence.
    """
    model, table, settings = told.model, told.table, told.model.settings
    assets, days = np.array(table.assets)[table.unit[told.rows]], np.arange(1, settings.days + 1)
    parts = []
    for component, members in told.members.items():
        consequence = _consequence(consequences, component)
        mean, low, high = model.foretold(component, members)
        parts.append(
            pl.DataFrame(
                {
                    "asset": np.repeat(assets, len(days)),
                    "component": pl.repeat(component, mean.size, eager=True),
                    "horizon_hours": np.tile(days * settings.period_h, len(told.rows)),
                    "probability": mean.ravel(),
                    "low": low.ravel(),
                    "high": high.ravel(),
                    "severity": pl.repeat(consequence.severity, mean.size, eager=True, dtype=pl.Int64),
                    "cost": pl.repeat(float(consequence.cost), mean.size, eager=True),
                }
            )
        )
    return RiskTable.of(pl.concat(parts), issued_min=float(table.time_min.max()), clock=clock)


def diagnoses(
    told: Asked, consequences: Mapping[str, Consequence], *, least: float = 0.0, top: int = 5
) -> tuple[Diagnosis, ...]:
    """A diagnosis per asset and component whose failure within the horizon is at least as likely as `least`.

    Contributions are those of the whole ensemble to the log odds of the first day's hazard (`reasons`): the `top` that
    say most, and what all others add. What age and the course of days say is told as a feature like the others, and
    what the network says, too. The likeliest come first. Confidence is 1 where all members say the same, and sinks by
    the difference between the highest and the lowest.
    """
    (model, table, lives, rows, _), made = told, []
    settings = model.settings
    for component, members in told.members.items():
        consequence = _consequence(consequences, component)
        said = np.stack([failure_by(hazard)[:, -1] for hazard in members.values()])
        mean = failure_by(model.pooled(component, members))[:, -1]
        likely = np.flatnonzero(mean >= least)
        some = {name: hazard[likely] for name, hazard in members.items()}
        because = _told(reasons(model, table, component=component, lives=lives, rows=rows[likely], members=some), top)
        for place, contributions in zip(likely, because, strict=True):
            made.append(
                Diagnosis(
                    asset=table.assets[table.unit[rows[place]]],
                    component=component,
                    time_min=float(table.time_min[rows[place]]),
                    horizon_hours=settings.days * settings.period_h,
                    probability=float(mean[place]),
                    confidence=float(1 - np.ptp(said[:, place])),
                    severity=consequence.severity,
                    contributions=contributions,
                    action=consequence.action,
                )
            )
    return tuple(sorted(made, key=lambda one: -one.probability))


def _consequence(consequences: Mapping[str, Consequence], component: str) -> Consequence:
    if component not in consequences:
        raise unknown("consequences", component, consequences)
    return consequences[component]


def _told(reasons: Reasons, top: int) -> list[tuple[tuple[str, float], ...]]:
    """Of each row those that say most, and what all others add up to."""
    told = []
    for values in reasons.values:
        order = [int(k) for k in np.argsort(-np.abs(values), kind="stable") if values[k] != 0]
        rest = [(OTHERS, float(values[order[top:]].sum()))] if len(order) > top else []
        told.append((*((reasons.names[k], float(values[k])) for k in order[:top]), *rest))
    return told
