"""Ways to ask, or to answer, the same questions: each figure with its interval, and its paired difference to the first.

So it is seen how far errors go: what is misheard is not found, and what is not found is not answered.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from twinloop.dialogue.evaluation.groups import grouped_difference, grouped_mean
from twinloop.errors import InputError

FIGURES = ("ndcg", "recall", "hit", "f1")
COMPARED: dict[str, Any] = {
    "way": pl.String,
    "figure": pl.String,
    "mean": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "difference": pl.Float64,
    "difference_low": pl.Float64,
    "difference_high": pl.Float64,
}


def side_by_side(
    ways: Mapping[str, pl.DataFrame], *, draws: int = 1000, confidence: float = 0.95, seed: int
) -> pl.DataFrame:
    """Way → its judgements (questions.JUDGED) as one table: a row per way and figure, columns as in COMPARED.

    Intervals are over groups. The first way has no difference. Raises InputError where the ways were asked other
    questions, and where none of these has an answer.
    """
    frames = {name: frame.filter(pl.col("answerable")) for name, frame in ways.items()}
    first = next(iter(frames.values()), pl.DataFrame())
    if first.is_empty():
        raise InputError("evaluation: expected questions that can be answered, found none: give it documents that do")
    groups, rows = first["group"].to_list(), []
    for name, frame in frames.items():
        if frame["question"].to_list() != first["question"].to_list():
            raise InputError(f"evaluation: {name}: expected the same questions as the others: ask each way all of them")
        for figure in FIGURES:
            own = grouped_mean(frame[figure].to_numpy(), groups, draws=draws, confidence=confidence, seed=seed)
            apart = grouped_difference(
                frame[figure].to_numpy(),
                first[figure].to_numpy(),
                groups,
                draws=draws,
                confidence=confidence,
                seed=seed,
            )
            differs = (None, None, None) if frame is first else (apart.mean, apart.low, apart.high)
            rows.append((name, figure, own.mean, own.low, own.high, *differs))
    return pl.DataFrame(rows, schema=COMPARED, orient="row")
