"""What a study asks of its trials: objectives named by whoever searches, and the rule by which one trial is taken.

Of one objective the best trial is taken. Of several, the best in the first objective that keeps the others within
their limits, or the front's knee where none has a limit. Values are compared as `coarse` gives them, and of equal ones
the earlier trial counts, so that the last bits of floating point choose nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from twinloop.errors import RunError
from twinloop.learning.pareto import knee
from twinloop.numbers import coarse


@dataclass(frozen=True)
class Objective:
    """One named quantity that trials are judged by.

    name: in tables and metrics; title, unit: in text. limit: the most of it (the least, where it is maximised) that a
    chosen trial may have. setting: what sets the limit, for messages, such as StudySettings.budget.
    """

    name: str
    title: str
    direction: Literal["maximize", "minimize"] = "maximize"
    unit: str = ""
    limit: float | None = None
    setting: str = ""

    def gain(self, value: float) -> float:
        """`value`, coarse, with the sign that makes more of it better."""
        return coarse(value) if self.direction == "maximize" else -coarse(value)

    def keeps(self, value: float) -> bool:
        """Whether `value` is within the limit; without one, always."""
        return self.limit is None or self.gain(value) >= self.gain(self.limit)

    def text(self, value: float) -> str:
        """ "0.943" without a unit, "2.35 ms" with one."""
        return f"{value:.2f} {self.unit}" if self.unit else f"{value:.3f}"


def rule(objectives: Sequence[Objective]) -> str:
    """How the trial was chosen, in words: "best AP", "best AP within 20 ms", "the front's knee"."""
    first, *others = objectives
    limits = [
        f"{'within' if one.direction == 'minimize' else 'from'} {one.limit:g} {one.unit}".rstrip()
        for one in others
        if one.limit is not None
    ]
    if others and not limits:
        return "the front's knee"
    return f"best {first.title} {' and '.join(limits)}".rstrip()


def choose(objectives: Sequence[Objective], scores: Sequence[Mapping[str, float]]) -> int:
    """The place of the chosen one of a front; scores: per trial, in order, objective name → value.

    Raises RunError where none keeps within the limits.
    """
    gains = [[one.gain(values[one.name]) for one in objectives] for values in scores]
    if len(objectives) > 1 and all(one.limit is None for one in objectives[1:]):
        return knee(gains)
    able = [place for place, values in enumerate(scores) if all(one.keeps(values[one.name]) for one in objectives[1:])]
    if not able:
        missed = next(one for one in objectives[1:] if not any(one.keeps(values[one.name]) for values in scores))
        best = max((values[missed.name] for values in scores), key=missed.gain)
        raise RunError(
            f"tune: no trial keeps within {missed.setting or missed.title} = {missed.limit:g}, the best has "
            f"{missed.text(best)}: widen the limit (the trials are kept), or let the space reach further"
        )
    return max(able, key=lambda place: gains[place])
