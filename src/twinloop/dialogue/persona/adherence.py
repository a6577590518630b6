"""Whether sliders do what they say: the rank correlation of each with its proxy, over answers to the same question.

All four are drawn at random at once, for every answer anew: a slider has to show through whatever the others are. Ranks
are within a question, since one that needs long quotations shows no verbosity; `pooled` ranks all answers together.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from twinloop.dialogue.persona.answer import Extract
from twinloop.dialogue.persona.proxies import Proxies, proxies
from twinloop.dialogue.persona.settings import SLIDERS, PersonaSettings
from twinloop.errors import InputError
from twinloop.numbers import Interval

Floats = NDArray[np.float64]
LEAST_EXTRACTS = 2


class Adherence(NamedTuple):
    """Spearman's rank correlation of each slider with its proxy, and its interval."""

    formality: Interval
    enthusiasm: Interval
    verbosity: Interval
    humour: Interval

    @property
    def least(self) -> Interval:
        """That of the slider that shows least (the figure persona_rank)."""
        return min(self, key=lambda interval: interval.mean)


def persona_rank(
    extracts: Sequence[Extract],
    answer: Callable[[Extract, PersonaSettings], str],
    *,
    draws: int = 16,
    pooled: bool = False,
    bootstrap: int = 200,
    confidence: float = 0.95,
    seed: int,
) -> Adherence:
    """Each extract answered with `draws` random settings: the mean of its rank correlations over extracts.

    Intervals are by bootstrap over extracts. Raises InputError for fewer than two extracts.
    """
    if len(extracts) < LEAST_EXTRACTS:
        raise InputError(f"persona: expected 2 or more answers to compare, found {len(extracts)}: give more questions")
    rng = np.random.default_rng(seed)
    sliders = rng.random((len(extracts), draws, len(SLIDERS)))
    measured = np.array([_measured(one, answer, drawn) for one, drawn in zip(extracts, sliders, strict=True)])
    again = rng.integers(0, len(extracts), (bootstrap, len(extracts)))
    intervals = []
    for place in range(len(SLIDERS)):
        own, seen = sliders[..., place], measured[..., place]
        if pooled:
            mean = spearman(own.ravel(), seen.ravel())
            drawn = np.array([spearman(own[rows].ravel(), seen[rows].ravel()) for rows in again])
        else:
            each = np.array([spearman(*pair) for pair in zip(own, seen, strict=True)])
            mean, drawn = float(each.mean()), each[again].mean(axis=1)
        low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
        intervals.append(Interval(mean, float(low), float(high)))
    return Adherence(*intervals)


def spearman(first: Floats, second: Floats) -> float:
    """Rank correlation with ties at their mean rank; 0 where either side is constant.

    >>> round(spearman(np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0])), 2)
    0.5
    """
    ranks = [rankdata(values) - (len(values) + 1) / 2 for values in (first, second)]
    spread = float(np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum()))
    return float((ranks[0] * ranks[1]).sum()) / spread if spread else 0.0


def _measured(extract: Extract, answer: Callable[[Extract, PersonaSettings], str], drawn: Floats) -> list[Proxies]:
    values: list[dict[str, Any]] = [dict(zip(SLIDERS, map(float, row), strict=True)) for row in drawn]
    return [proxies(answer(extract, PersonaSettings(**sliders))) for sliders in values]
