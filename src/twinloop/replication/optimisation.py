"""The best system within a space of changes, found with Optuna although every look at a system is noisy.

Three sets of replications keep the answer honest. All trials share the first, so that they differ by what they are and
not by luck. The best of them were also the luckiest, so the finalists are judged on a fresh second set, by ranking and
selection. That again prefers the lucky one, so the gain against today is measured on a third.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import polars as pl

from twinloop.errors import InputError
from twinloop.html import table
from twinloop.numbers import Interval, fixed, quantity
from twinloop.numbers import interval as ends_of
from twinloop.replication.design import Design
from twinloop.replication.kpi import Kpi, Kpis
from twinloop.replication.result import Result
from twinloop.replication.search import Search, Space, Trial
from twinloop.replication.selection import Selection
from twinloop.replication.settings import SearchSettings
from twinloop.replication.side_by_side import TODAY
from twinloop.replication.statistics import interval

MOST_SHOWN = 10


@dataclass(frozen=True, eq=False)
class Optimum:
    """The chosen way to set the knobs and what it gains against today, measured on replications nothing was chosen by.

    trials: all of them in order. finalists: those judged anew, and today's system. remaining: names of the finalists
    that could not be told apart from the best; one name means that it surely is the best of them.
    result: the chosen system's figures, before the knobs' price. gain: of the objective against today, after it.
    """

    settings: SearchSettings
    trials: tuple[Trial, ...]
    finalists: tuple[Trial, ...]
    remaining: tuple[str, ...]
    chosen: Trial
    today: Result
    result: Result
    gain: Interval

    @property
    def failed(self) -> int:
        """Trials whose run ended in a RunError: a system that cannot work."""
        return sum(trial.promised is None for trial in self.trials)

    @property
    def objective(self) -> Kpi:
        """What was maximised."""
        return self.today.kpis[self.settings.objective]

    @property
    def sentence(self) -> str:
        """The answer in one sentence."""
        title, unit = self.objective.title, self.objective.unit
        if self.chosen.name == TODAY:
            return f"None of {len(self.trials)} ways to set {', '.join(self.settings.space)} is better than today's"
        values = ", ".join(f"{path} = {_shown(value)}" for path, value in self.chosen.values.items())
        ends = ends_of(self.gain.low, self.gain.high, unit)
        confidence = f"{100 * self.today.confidence:g} % interval"
        return f"{values}: {title.lower()} {quantity(self.gain.mean, unit, sign=True)} ({confidence} {ends})"

    def frame(self) -> pl.DataFrame:
        """One row per trial: trial, a column per path, cost_per_day, promised (null: it failed), finalist, chosen."""
        finalists = {trial.name for trial in self.finalists}
        rows = [
            {
                "trial": trial.name,
                **trial.values,
                "cost_per_day": trial.cost_per_day,
                "promised": trial.promised,
                "finalist": trial.name in finalists,
                "chosen": trial.name == self.chosen.name,
            }
            for trial in self.trials
        ]
        return pl.DataFrame(rows, schema_overrides={"promised": pl.Float64}, infer_schema_length=None)

    def _repr_html_(self) -> str:
        promised = [(trial, trial.promised) for trial in self.trials if trial.promised is not None]
        rows = [
            (
                trial.name + (" (chosen)" if trial.name == self.chosen.name else ""),
                *(_shown(trial.values[path]) for path in self.settings.space),
                fixed(trial.cost_per_day, 0),
                self.objective.text(value),
            )
            for trial, value in sorted(promised, key=lambda pair: -pair[1])[:MOST_SHOWN]
        ]
        failed = f", {self.failed} failed" if self.failed else ""
        caption = f"{len(self.trials)} trials{failed}; what the best promised is what luck made of it"
        header = ("", *self.settings.space, "cost per day", f"promised {self.objective.title.lower()}")
        return f"<p>{escape(self.sentence)}</p>{table(caption, header, rows)}"


def optimise(space: Space, settings: SearchSettings, design: Design, kpis: Kpis) -> Optimum:
    """Search `settings.space` for the system with the largest objective.

    The design's replications and precision are not used: the settings say how many replications each phase has.
    Raises InputError for a space that does not fit the system, RunError when every trial fails.
    """
    if settings.trials < 1:
        raise InputError(f"{type(settings).__name__}.trials = {settings.trials}: expected at least 1")
    design = replace(design, precision=None)
    search = Search(space, settings, design, kpis)
    trials = search.run()
    finalists = search.finalists(trials)
    chosen, remaining = _selected(search, finalists)
    # Numbers that no phase before has used: nothing was chosen by them, so nothing flatters the answer.
    unseen = design.first + settings.replications + settings.max_replications
    both = (search.today,) if chosen is search.today else (search.today, chosen)
    results = search.results(both, first=unseen, count=settings.final_replications)
    before, after = results[TODAY], results[chosen.name]
    gain = after.sample(settings.objective) - chosen.cost_per_day - before.sample(settings.objective)
    return Optimum(
        settings=settings,
        trials=trials,
        finalists=finalists,
        remaining=remaining,
        chosen=chosen,
        today=before,
        result=after,
        gain=interval(gain, confidence=design.confidence),
    )


def _selected(search: Search, finalists: Sequence[Trial]) -> tuple[Trial, tuple[str, ...]]:
    """The best finalist by fresh replications, and the names that it could not be told apart from, its own included."""
    if len(finalists) == 1:
        return finalists[0], (finalists[0].name,)
    settings, by_name = search.settings, {trial.name: trial for trial in finalists}
    first, count = search.design.first + settings.replications, settings.final_replications
    selection = Selection(
        search.net(finalists, first=first, count=count),
        indifference=settings.indifference,
        confidence=search.design.confidence,
    )
    while not selection.decided and selection.replications + count <= settings.max_replications:
        left = [by_name[name] for name in selection.remaining]
        selection.add(search.net(left, first=first + selection.replications, count=count))
    return by_name[selection.best], selection.remaining


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
