"""Ways to set a line's knobs, asked of Optuna in fixed batches and told in order: any number of workers, one answer.

All trials share their random numbers. A space with no more points than trials is tried completely.
"""

import dataclasses
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray

from twinloop.errors import InputError, RunError
from twinloop.learning.space import distribution
from twinloop.numbers import quantity
from twinloop.progress import bar
from twinloop.simulation.events.kpi import KPIS
from twinloop.simulation.experiments.design import Design
from twinloop.simulation.experiments.experiment import Scenario, replicated
from twinloop.simulation.experiments.result import Result
from twinloop.simulation.experiments.scenarios import BAND, THRESHOLD, TODAY, changed
from twinloop.simulation.experiments.settings import Knob, OptimiseSettings
from twinloop.simulation.model.overlay import unknown, value_at

Values = dict[str, Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """One way to set the knobs: what it costs, and what it promised in the search after that (None: it stood still)."""

    name: str
    values: Values
    cost_per_day: float
    promised: float | None = None


class Search:
    """The scenarios that the knobs can make of today's, and what they promise."""

    def __init__(self, scenario: Scenario, settings: OptimiseSettings, design: Design) -> None:
        if settings.objective not in KPIS:
            raise unknown("simulate: optimise: objective", settings.objective, KPIS)
        self.scenario, self.settings, self.design = scenario, settings, design
        base = {path: _today_value(scenario, path) for path in settings.space}
        for path, knob in settings.space.items():
            _check_knob(scenario, path, knob, base[path])
        self.today = Trial(TODAY, base, 0.0)

    def run(self) -> tuple[Trial, ...]:
        """All trials in order, asked and told in batches, so that the number of workers changes nothing."""
        space, study = self.settings.space, _study(self.design.seed, self.settings)
        everything = list(_grid(space, limit=self.settings.trials))
        count = len(everything) or self.settings.trials
        trials: list[Trial] = []
        with bar("trial", count) as shown:
            # A space with no more points than trials is tried completely, else today's values are tried first.
            for values in everything or self._start():
                study.enqueue_trial(values)
            distributions = {path: distribution(knob) for path, knob in space.items()}
            while len(trials) < count:
                asked = [study.ask(distributions) for _ in range(min(self.settings.batch, count - len(trials)))]
                batch = self._tried([dict(trial.params) for trial in asked], trials)
                for trial, tried in zip(asked, batch, strict=True):
                    stood_still = optuna.trial.TrialState.PRUNED if tried.promised is None else None
                    study.tell(trial, tried.promised, state=stood_still)
                trials += batch
                shown.step(len(batch), note=self._note(trials))
        return tuple(trials)

    def finalists(self, trials: Sequence[Trial]) -> tuple[Trial, ...]:
        """The best trials, each way to set the knobs once, and today's line.

        Raises RunError when every trial's line stood still.
        """
        alive = [trial for trial in trials if trial.promised is not None]
        if not alive:
            raise RunError(f"simulate: optimise: none of {len(trials)} lines made a part: narrow or move the space")
        different: dict[tuple[Any, ...], Trial] = {}
        for trial in sorted(alive, key=_promise, reverse=True):
            different.setdefault(_key(trial.values), trial)
        different.pop(_key(self.today.values), None)
        return (*list(different.values())[: self.settings.finalists], self.today)

    def results(self, trials: Iterable[Trial], *, first: int, count: int) -> dict[str, Result]:
        """Results by name over `count` replications from number `first`."""
        scenarios = [changed(self.scenario, trial.name, trial.values) for trial in trials]
        design = replace(self.design, first=first, replications=count)
        return replicated(scenarios, design)

    def net(self, trials: Iterable[Trial], *, first: int, count: int) -> dict[str, Floats]:
        """Objective over replications by name, after the knobs' price."""
        trials = list(trials)
        found = self.results(trials, first=first, count=count)
        return {trial.name: found[trial.name].values(self.settings.objective) - trial.cost_per_day for trial in trials}

    def _start(self) -> list[Values]:
        values = self.today.values
        return [values] if all(knob.holds(values[path]) for path, knob in self.settings.space.items()) else []

    def _tried(self, asked: Sequence[Values], before: Sequence[Trial]) -> list[Trial]:
        """A trial for every way to set the knobs; what was tried before, or twice in a batch, is not run again."""
        known = {_key(trial.values): trial for trial in before}
        batch = []
        for number, values in enumerate(asked, start=len(before)):
            trial = Trial(f"trial {number}", values, self._cost(values))
            batch.append(trial)
            known.setdefault(_key(values), trial)
        names = {trial.name for trial in batch}
        promised = self._promised([trial for trial in known.values() if trial.name in names])
        promised |= {trial.name: trial.promised for trial in before}
        return [replace(trial, promised=promised[known[_key(trial.values)].name]) for trial in batch]

    def _promised(self, trials: Sequence[Trial]) -> dict[str, float | None]:
        where = {"first": self.design.first, "count": self.settings.replications}
        try:
            return {name: float(values.mean()) for name, values in self.net(trials, **where).items()}
        except RunError:
            if len(trials) == 1:
                return {trials[0].name: None}
        # One of them stands still: the others are run without it.
        return {name: value for trial in trials for name, value in self._promised([trial]).items()}

    def _cost(self, values: Values) -> float:
        prices = ((knob.price_per_day, path) for path, knob in self.settings.space.items())
        return float(sum(price * (values[path] - self.today.values[path]) for price, path in prices if price))

    def _note(self, trials: Sequence[Trial]) -> str:
        best = max((trial.promised for trial in trials if trial.promised is not None), default=None)
        return f"best {quantity(best, KPIS[self.settings.objective][1])}"


def _study(seed: int, settings: OptimiseSettings) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        # A joint model of all knobs, and no two of a batch alike: both are marked experimental.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=settings.random_trials, multivariate=True, constant_liar=True
        )
    return optuna.create_study(direction="maximize", sampler=sampler)


def _grid(space: Mapping[str, Knob], *, limit: int) -> Iterator[Values]:
    """Every way to set the knobs when there are no more than `limit`, else nothing."""
    if any(knob.kind == "float" for knob in space.values()):
        return
    choices = [_choices(knob) for knob in space.values()]
    if math.prod(map(len, choices)) <= limit:
        yield from (dict(zip(space, values, strict=True)) for values in itertools.product(*choices))


def _choices(knob: Knob) -> Sequence[Any]:
    if knob.kind == "categorical":
        return knob.choices
    low, high = knob.extremes
    return range(int(low), int(high) + 1)


def _today_value(scenario: Scenario, path: str) -> Any:
    curve = scenario.measured
    if path in (THRESHOLD, BAND):
        return curve.accept_below if path == THRESHOLD else curve.reject_from - curve.accept_below
    return value_at(dataclasses.asdict(scenario.line), path)


def _check_knob(scenario: Scenario, path: str, knob: Knob, today: Any) -> None:
    if knob.price_per_day and (isinstance(today, bool) or not isinstance(today, int | float)):
        raise InputError(
            f"simulate: optimise: {path} is {today!r} today: a price per unit needs a number to start from"
        )
    for value in knob.extremes:
        changed(scenario, f"{path} = {value}", {path: value})


def _key(values: Values) -> tuple[Any, ...]:
    return tuple(values.values())


def _promise(trial: Trial) -> float:
    return -math.inf if trial.promised is None else trial.promised
