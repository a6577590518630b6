"""Failures day by day: a hazard per component from a forest, boosted trees and a network, calibrated on units unseen.

Each member says the probability that a component fails on day d from now, given that it lives until then; the course
of days is an input of the trees and an output of the network. Members are calibrated one by one on days of units that
were held out, then their log odds are averaged. A component with too few failures gets what its age alone tells.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError, unknown
from twinloop.prognostics.models.additive import Explained
from twinloop.prognostics.models.calibration import LEAST, Calibration, fit_calibration, logit, sigmoid
from twinloop.prognostics.models.folds import unit_folds
from twinloop.prognostics.models.lookback import Sequences
from twinloop.prognostics.models.members import (
    BOOSTED,
    FOREST,
    LINEAR,
    Odds,
    Trees,
    explained_members,
    fit_members,
    members_odds,
)
from twinloop.prognostics.models.periods import Periods, course, drawn_periods, failure_by
from twinloop.prognostics.models.settings import HazardSettings
from twinloop.prognostics.models.table import FeatureTable, ahead, component_age
from twinloop.prognostics.models.weibull import Weibull, fit_weibull

if TYPE_CHECKING:
    from twinloop.prognostics.models.sequences import TemporalNetwork

Floats = NDArray[np.float64]
NetworkOdds = Callable[[Sequences, NDArray[np.int64]], Floats]
NETWORK = "network"
AGE, DAY = "component_age_h", "day"


@dataclass(frozen=True, eq=False)
class ComponentModel:
    """members: log odds by name; calibration: of each member, the network's too; pooled: of their mean.

    age: what age alone tells. failures: how many it learnt from. members is empty where these were too few, and there
    are no trees. explained: what inputs add to what each member says; network_mean: log odds of the network on average.
    """

    members: Mapping[str, Odds]
    calibration: Mapping[str, Calibration]
    pooled: Calibration
    age: Weibull
    failures: int
    trees: Trees | None = None
    explained: Mapping[str, Explained] = field(default_factory=dict)
    network_mean: float = 0.0


class Foretold(NamedTuple):
    """Probability of failure until the end of each day [N, D], and the ends of what the members say, each alone."""

    probability: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class HazardModel:
    """columns: of the trees; signals: of the network, which says log odds [N, C, D] of all components at once."""

    settings: HazardSettings
    columns: tuple[str, ...]
    signals: tuple[str, ...]
    components: Mapping[str, ComponentModel]
    network: NetworkOdds | None
    module: "TemporalNetwork | None" = None
    _latest: "list[tuple[FeatureTable, NDArray[np.int64], Floats]]" = field(
        init=False, default_factory=list, repr=False
    )

    def member_hazards(
        self, table: FeatureTable, lives: pl.DataFrame, component: str, rows: NDArray[np.int64]
    ) -> dict[str, Floats]:
        """Calibrated hazards [N, D] of each member, at `rows` of the table; {"age": …} where there are none.

        lives: asset, component, begin_min; only what began until a row's time is looked at. Raises InputError for a
        component that the model does not know.
        """
        if component not in self.components:
            raise unknown("hazard model", component, self.components)
        own, settings = self.components[component], self.settings
        age = component_age(table, lives, component)[rows]
        if not own.members:
            return {"age": own.age.hazard(age, days=settings.days, period_h=settings.period_h)}
        values = tree_inputs(table, self.columns, rows, age)
        hazards = {
            name: sigmoid(own.calibration[name](_over_days(odds, values, settings.days)))
            for name, odds in own.members.items()
        }
        if self.network is not None and NETWORK in own.calibration:
            place = list(self.components).index(component)
            odds = self._network_odds(self.network, table, rows)[:, place]
            hazards[NETWORK] = sigmoid(own.calibration[NETWORK](odds))
        return hazards

    def _network_odds(self, network: NetworkOdds, table: FeatureTable, rows: NDArray[np.int64]) -> Floats:
        """[N, C, D]: asked for one component after the other, the network runs once for all of them."""
        for latest, asked, odds in self._latest:
            if latest is table and np.array_equal(asked, rows):
                return odds
        odds = network(Sequences.of(table.selected(self.signals), table.unit), rows)
        self._latest[:] = [(table, rows.copy(), odds)]
        return odds

    def hazards(
        self, table: FeatureTable, lives: pl.DataFrame, component: str, rows: NDArray[np.int64] | None = None
    ) -> Floats:
        """[N, D] the members' mean in log odds, calibrated once more: where they disagree, a mean is too timid."""
        rows = np.arange(len(table)) if rows is None else rows
        return self.pooled(component, self.member_hazards(table, lives, component, rows))

    def pooled(self, component: str, members: Mapping[str, Floats]) -> Floats:
        """[N, D] of the members' hazards of a component."""
        mean = np.mean([logit(part) for part in members.values()], axis=0)
        return sigmoid(self.components[component].pooled(mean))

    def foretold(self, component: str, members: Mapping[str, Floats]) -> Foretold:
        """From the members' hazards of a component; the interval reaches to the mean where that lies outside."""
        until = failure_by(self.pooled(component, members))
        said = np.stack([failure_by(hazard) for hazard in members.values()])
        return Foretold(until, np.minimum(said.min(axis=0), until), np.maximum(said.max(axis=0), until))

    def probability(
        self, table: FeatureTable, lives: pl.DataFrame, component: str, rows: NDArray[np.int64] | None = None
    ) -> Floats:
        """[N] of failure within the whole horizon."""
        return failure_by(self.hazards(table, lives, component, rows))[:, -1]


def tree_inputs(
    table: FeatureTable, columns: tuple[str, ...], rows: NDArray[np.int64], age: Floats, day: NDArray[Any] | int = 0
) -> NDArray[np.float32]:
    """[N, F + 2] features, age of the component and day."""
    days = np.broadcast_to(np.asarray(day, np.float32), len(rows))
    return np.column_stack([table.selected(columns)[rows], age.astype(np.float32), days])


def _over_days(odds: Odds, values: NDArray[np.float32], days: int) -> Floats:
    """[N, D] log odds of each day ahead."""
    parts = []
    for day in range(days):
        values[:, -1] = day
        parts.append(odds(values))
    return np.column_stack(parts)


def fit_hazard(table: FeatureTable, lives: pl.DataFrame, settings: HazardSettings, *, seed: int) -> HazardModel:
    """A model of all components of `lives` (asset, component, begin_min, end_min, failed) from rows of the table.

    Raises InputError for fewer units than folds, and where no life at all ended in a failure.
    """
    names = tuple(lives["component"].unique().sort())
    if not lives["failed"].any():
        raise InputError(f"hazard: none of {len(lives)} lives ended in a failure: watch the assets for longer")
    fold = unit_folds(table.unit, settings.folds, seed=seed)
    varying = table.varying
    columns = tuple(name for name in varying if re.search(settings.learnt_from, name))
    if not columns:
        raise InputError(f"HazardSettings.learnt_from = {settings.learnt_from!r}: expected the name of some feature")
    signals = tuple(name for name in varying if name.endswith((".relative", ".excess")))
    labels = {name: ahead(table, lives, name) for name in names}
    courses = {name: course(label, days=settings.days, period_h=settings.period_h) for name, label in labels.items()}
    network = None
    if settings.with_network:
        # Where trees are enough torch is not loaded: its seconds are more than theirs.
        from twinloop.prognostics.models.hazard_network import HazardNetwork

        network = HazardNetwork(table, signals, list(courses.values()), settings, seed)
    unseen = network.out_of_fold(fold) if network is not None else None
    components = {}
    for place, name in enumerate(names):
        own = lives.filter((pl.col("component") == name) & (pl.col("end_min") > pl.col("begin_min")))
        failures = int(own["failed"].sum())
        hours = (own["end_min"] - own["begin_min"]).to_numpy() / 60
        age = fit_weibull(hours, own["failed"].to_numpy()) if failures else Weibull(1.0, max(hours.sum(), 1.0) * 3)
        if failures < settings.least_failures:
            components[name] = ComponentModel({}, {}, Calibration(), age, failures)
            continue
        periods = drawn_periods(
            courses[name], survived_per_failure=settings.survived_per_failure, seed=seed * 1000 + place
        )
        at = component_age(table, lives, name)[periods.row]
        values = tree_inputs(table, columns, periods.row, at, periods.day)
        odds = _unseen_odds(values, periods, fold[periods.row], settings, seed)
        if unseen is not None:
            odds[NETWORK] = unseen[periods.row, place, periods.day]
        calibration = {key: fit_calibration(value, periods.failed, periods.weight) for key, value in odds.items()}
        mean = np.mean([calibration[key](value) for key, value in odds.items()], axis=0)
        pooled = fit_calibration(mean, periods.failed, periods.weight)
        trees = fit_members(values, periods, settings, seed=seed)
        usual = float(np.average(odds[NETWORK], weights=periods.weight)) if NETWORK in odds else 0.0
        components[name] = ComponentModel(
            members_odds(trees), calibration, pooled, age, failures, trees, explained_members(trees), usual
        )
    module = network.fitted(np.arange(len(table)), seed) if network is not None else None
    network_odds = network.odds(module) if network is not None and module is not None else None
    return HazardModel(settings, columns, signals, components, network_odds, module)


def _unseen_odds(
    values: NDArray[np.float32], periods: Periods, fold: NDArray[np.int64], settings: HazardSettings, seed: int
) -> dict[str, Floats]:
    """Log odds [M] of every period by trees that never saw its unit."""
    odds = {name: np.full(len(fold), LEAST) for name in (FOREST, BOOSTED, *([LINEAR] if settings.with_linear else []))}
    for number in range(settings.folds):
        seen, held = fold != number, fold == number
        part = Periods(*(values[seen] for values in periods))
        for name, member in members_odds(fit_members(values[seen], part, settings, seed=seed)).items():
            odds[name][held] = member(values[held])
    return odds
