"""Foreseeing a machine's failures from its sensors: learnt from simulated runs to failure, judged in fresh ones.

The predictors are those of any fleet (`prognostics`), on the clock of work. Where too few failures came to learn from,
age alone tells (a Weibull law of the lives), and `note` says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import AlertCurve, RiskTable
from twinloop.contracts.alert_rates import Watched
from twinloop.errors import InputError
from twinloop.numbers import counted
from twinloop.prognostics.features.reference import Reference, fit_reference
from twinloop.prognostics.features.stream import features
from twinloop.prognostics.inference.risks import Consequence, asked, risk_table
from twinloop.prognostics.models.hazard import HazardModel, fit_hazard
from twinloop.prognostics.models.periods import failure_by
from twinloop.prognostics.models.table import FeatureTable
from twinloop.simulation.degradation.lived import COMPONENT, Lived, lives_frame, telemetry_of
from twinloop.simulation.maintenance.settings import PERIODS, ForesightSettings

Floats = NDArray[np.float64]
THRESHOLDS, DRAWS = 25, 40
SEVERITY = 5


@dataclass(frozen=True, eq=False)
class Foresight:
    """A predictor of one kind of machine."""

    settings: ForesightSettings
    model: HazardModel
    reference: Reference

    @property
    def learnt(self) -> int:
        """Failures that it learnt from."""
        return self.model.components[COMPONENT].failures

    @property
    def by_age(self) -> bool:
        """Whether it goes by age alone."""
        return not self.model.components[COMPONENT].members

    @property
    def name(self) -> str:
        """What the probabilities come from."""
        return "age" if self.by_age else "sensors"

    @property
    def note(self) -> str:
        """What is to be said about it; empty where it learnt from sensors."""
        if not self.by_age:
            return ""
        needed = self.settings.least_failures
        return (
            f"{counted(self.learnt, 'failure')} to learn from, {needed} are needed to learn from sensors: "
            "failures are foreseen by age alone"
        )

    def scores(self, lives: Sequence[Lived]) -> list[Watched]:
        """Lives with the probability of a failure within `window_hours`, at the end of every window of features.

        One that was too short for a window has no score: nobody could foresee its end.
        """
        seen = [one for one in lives if len(one.rows)]
        watched = {one.asset: Watched(np.empty(0), np.empty(0), one.end_min, one.failed) for one in lives}
        if seen:
            table = self._table(seen)
            hazards = self.model.hazards(table, lives_frame(seen), COMPONENT)
            probability = failure_by(hazards)[:, PERIODS - 1]
            ends = {one.asset: one.end_min for one in seen}
            for number, asset in enumerate(table.assets):
                # A window is dated by its end: the one in which the life ended comes too late.
                own = (table.unit == number) & (table.time_min <= ends[asset])
                before = watched[asset]
                watched[asset] = Watched(table.time_min[own], probability[own], before.end_min, before.failed)
        return list(watched.values())

    def alerts(self, lives: Sequence[Lived], *, seed: int) -> AlertCurve:
        """What of its alerts is right, by lives that it did not learn from. Raises InputError without a failure."""
        watched = self.scores(lives)
        said = np.concatenate([one.score for one in watched])
        levels = np.unique(np.quantile(said, np.linspace(0.5, 1.0, THRESHOLDS))) if len(said) else np.array([1.0])
        # Never an alarm can be chosen too, also where it always says the same.
        levels = np.append(levels, np.nextafter(levels[-1], np.inf))
        return AlertCurve.of_lives(
            watched,
            thresholds=levels,
            window_hours=self.settings.window_hours,
            model=self.name,
            draws=DRAWS,
            seed=seed,
        )

    def risks(self, machines: Iterable[Lived], *, cost: float, issued_min: float = 0.0) -> RiskTable:
        """Of machines in the middle of their lives, from the end of their last window on, in hours of work.

        Raises InputError for one that has not yet worked for a window.
        """
        machines = list(machines)
        window = self.settings.features.window_min
        for one in machines:
            if not len(one.rows) or one.end_min < window:
                raise InputError(
                    f"foresight: {one.asset}: expected at least {window:g} minutes of work since its last repair, got "
                    f"{one.end_min:g}: watch it for longer"
                )
        table = self._table(machines)
        ends = {one.asset: one.end_min for one in machines}
        closed = table.time_min <= np.array([ends[asset] for asset in table.assets])[table.unit]
        consequences = {COMPONENT: Consequence(SEVERITY, cost, "maintain it")}
        said = risk_table(asked(self.model, table.where(closed), lives_frame(machines)), consequences, clock="work")
        return RiskTable.of(said.frame, issued_min=issued_min, clock="work")

    def renewed(self, lives: Sequence[Lived], asset: str, *, cost: float) -> RiskTable:
        """Of a machine that was just repaired or maintained: the mean of what is said after the first window."""
        window = self.settings.features.window_min
        begun = [one.until(window, asset=one.asset) for one in lives if len(one.rows) and one.end_min >= window]
        told = self.risks([one for one in begun if len(one.rows)], cost=cost).frame
        mean = told.group_by("component", "horizon_hours", "severity", "cost").agg(
            pl.col("probability", "low", "high").mean()
        )
        return RiskTable.of(mean.with_columns(asset=pl.lit(asset)).select(told.columns), clock="work")

    def _table(self, lives: Iterable[Lived]) -> FeatureTable:
        return FeatureTable.of(features(telemetry_of(lives), self.reference, self.settings.features))


def learn(lives: Sequence[Lived], settings: ForesightSettings, *, seed: int) -> Foresight:
    """A predictor from lives to failure. Raises InputError where none failed."""
    seen = [one for one in lives if len(one.rows)]
    failures = sum(one.failed for one in seen)
    if not failures or len(seen) < 2:
        raise InputError(
            f"foresight: {counted(failures, 'failure')} in {len(seen)} lives: expected some to "
            "learn from: simulate more runs, or longer ones (runs, days)"
        )
    telemetry = telemetry_of(seen)
    reference = fit_reference(telemetry, settings.features, seed=seed)
    table = FeatureTable.of(features(telemetry, reference, settings.features))
    model = fit_hazard(table, lives_frame(seen), settings.hazard(len(table.assets)), seed=seed)
    return Foresight(settings, model, reference)
