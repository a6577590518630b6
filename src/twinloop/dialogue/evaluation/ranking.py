"""Figures of a ranking by which results are relevant, as test collections judge them."""

from collections.abc import Collection, Hashable, Sequence
from typing import TypeVar

import numpy as np

Name = TypeVar("Name", bound=Hashable)


def ndcg(ranked: Sequence[Name], relevant: Collection[Name], *, at: int = 10) -> float:
    """Normalised discounted cumulative gain of the first `at` results, each relevant or not (Järvelin and Kekäläinen,
    2002: gain 1, discount log2 of the rank + 1); 0 where nothing is relevant.

    >>> ndcg(["a", "b", "c"], {"a"}), round(ndcg(["b", "a"], {"a"}), 4)
    (1.0, 0.6309)
    """
    discounts = 1 / np.log2(np.arange(2, at + 2))
    best = float(discounts[: min(len(relevant), at)].sum())
    gained = sum(float(discounts[place]) for place, name in enumerate(ranked[:at]) if name in relevant)
    return gained / best if best else 0.0


def recall(ranked: Sequence[Name], relevant: Collection[Name], *, at: int = 10) -> float:
    """The share of what is relevant among the first `at` results; 0 where nothing is.

    >>> recall(["a", "b", "c"], {"a", "z"}, at=2)
    0.5
    """
    return len(set(ranked[:at]) & set(relevant)) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranked: Sequence[Name], relevant: Collection[Name]) -> float:
    """1 over the rank of the first relevant result; 0 where there is none.

    >>> reciprocal_rank(["b", "a"], {"a"})
    0.5
    """
    return next((1 / rank for rank, name in enumerate(ranked, start=1) if name in relevant), 0.0)
