"""Ways to set a system's knobs, asked of Optuna in fixed batches and told in order: any number of workers, one answer.

All trials share their random numbers. A space with no more points than trials is tried completely.
"""

import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray

from twinloop.errors import InputError, RunError, unknown
from twinloop.numbers import quantity
from twinloop.progress import bar
from twinloop.replication.design import Design
from twinloop.replication.experiment import replicated
from twinloop.replication.kpi import Kpis
from twinloop.replication.result import Result
from twinloop.replication.settings import Knob, SearchSettings
from twinloop.replication.side_by_side import TODAY
from twinloop.replication.system import System
from twinloop.search_space import distribution

Values = dict[str, Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """One way to set the knobs: what it costs, and what it promised in the search after that (None: its run failed)."""

    name: str
    values: Values
    cost_per_day: float
    promised: float | None = None


@dataclass(frozen=True)
class Space:
    """What knobs can make of a system.

    today: the value of every knob as the system is. make: the system of a name with these knobs set, the others as
    today; it raises InputError for a value that does not fit.
    """

    today: Values
    make: Callable[[str, Values], System]


class Search:
    """The systems that the knobs can make of today's, and what they promise.

    Raises InputError for an objective that is not in the table and for a knob whose ends do not fit the system.
    """

    def __init__(self, space: Space, settings: SearchSettings, design: Design, kpis: Kpis) -> None:
        if settings.objective not in kpis:
            raise unknown(f"{type(settings).__name__}.objective", settings.objective, kpis)
        self.space, self.settings, self.design, self.kpis = space, settings, design, kpis
        for path, knob in settings.space.items():
            _check_knob(space, path, knob)
        self.today = Trial(TODAY, space.today, 0.0)

    def run(self) -> tuple[Trial, ...]:
        """All trials in order, asked and told in batches, so that the number of workers changes nothing."""
        knobs, study = self.settings.space, _study(self.design.seed, self.settings)
        everything = list(_grid(knobs, limit=self.settings.trials))
        count = len(everything) or self.settings.trials
        trials: list[Trial] = []
        with bar("trial", count) as shown:
            # A space with no more points than trials is tried completely, else today's values are tried first.
            for values in everything or self._start():
                study.enqueue_trial(values)
            distributions = {path: distribution(knob) for path, knob in knobs.items()}
            while len(trials) < count:
                asked = [study.ask(distributions) for _ in range(min(self.settings.batch, count - len(trials)))]
                batch = self._tried([dict(trial.params) for trial in asked], trials)
                for trial, tried in zip(asked, batch, strict=True):
                    failed = optuna.trial.TrialState.PRUNED if tried.promised is None else None
                    study.tell(trial, tried.promised, state=failed)
                trials += batch
                shown.step(len(batch), note=self._note(trials))
        return tuple(trials)

    def finalists(self, trials: Sequence[Trial]) -> tuple[Trial, ...]:
        """The best trials, each way to set the knobs once, and today's system.

        Raises RunError when every trial failed.
        """
        alive = [trial for trial in trials if trial.promised is not None]
        if not alive:
            raise RunError(f"optimise: none of {len(trials)} trials ran to its end: narrow or move the space")
        different: dict[tuple[Any, ...], Trial] = {}
        for trial in sorted(alive, key=_promise, reverse=True):
            different.setdefault(_key(trial.values), trial)
        different.pop(_key(self.today.values), None)
        return (*list(different.values())[: self.settings.finalists], self.today)

    def results(self, trials: Iterable[Trial], *, first: int, count: int) -> dict[str, Result]:
        """Results by name over `count` replications from number `first`."""
        systems = [self.space.make(trial.name, trial.values) for trial in trials]
        return replicated(systems, replace(self.design, first=first, replications=count), self.kpis)

    def net(self, trials: Iterable[Trial], *, first: int, count: int) -> dict[str, Floats]:
        """Objective over replications by name, after the knobs' price."""
        trials = list(trials)
        results = self.results(trials, first=first, count=count)
        return {
            trial.name: results[trial.name].values(self.settings.objective) - trial.cost_per_day for trial in trials
        }

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
        numbers = {"first": self.design.first, "count": self.settings.replications}
        try:
            return {name: float(values.mean()) for name, values in self.net(trials, **numbers).items()}
        except RunError:
            if len(trials) == 1:
                return {trials[0].name: None}
        # One of them fails: the others are run without it.
        return {name: value for trial in trials for name, value in self._promised([trial]).items()}

    def _cost(self, values: Values) -> float:
        prices = ((knob.price_per_day, path) for path, knob in self.settings.space.items())
        return float(sum(price * (values[path] - self.today.values[path]) for price, path in prices if price))

    def _note(self, trials: Sequence[Trial]) -> str:
        best = max((trial.promised for trial in trials if trial.promised is not None), default=None)
        return f"best {quantity(best, self.kpis[self.settings.objective].unit)}"


def _study(seed: int, settings: SearchSettings) -> optuna.Study:
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


def _check_knob(space: Space, path: str, knob: Knob) -> None:
    today = space.today[path]
    if knob.price_per_day and (isinstance(today, bool) or not isinstance(today, int | float)):
        raise InputError(
            f"Knob.price_per_day: {path} is {today!r} today: a price per unit needs a number to start from"
        )
    for value in knob.extremes:
        space.make(f"{path} = {value}", {path: value})


def _key(values: Values) -> tuple[Any, ...]:
    return tuple(values.values())


def _promise(trial: Trial) -> float:
    return -math.inf if trial.promised is None else trial.promised
