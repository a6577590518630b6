"""Profiles of services for tests: exponential parts as theory has them, and turns as they are."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from twinloop.contracts import Origin, ServiceProfile
from twinloop.dialogue.conversation.turn import PARTS
from twinloop.twins.person.service import origin

HERE = origin({"speech_to_text": "s" * 64}, "i" * 64)


def profile(
    cpu_s: Mapping[str, Sequence[float]],
    waiting_s: Mapping[str, Sequence[float]] | None = None,
    *,
    batches: Mapping[str, Mapping[int, float]] | None = None,
    where: Origin = HERE,
) -> ServiceProfile:
    """Turns with the seconds of some parts; all others take none."""
    waited = waiting_s or {}
    count = len(next(iter({**cpu_s, **waited}.values())))
    columns: dict[str, object] = {"words": [5] * count, "audio_s": [2.0] * count, "cached": [False] * count}
    for part in PARTS:
        for kind, given in (("cpu", cpu_s), ("waiting", waited)):
            columns[f"{part}_{kind}_s"] = [float(value) for value in given.get(part, [0.0] * count)]
    return ServiceProfile(pl.DataFrame(columns), PARTS, where, 0.5, batches or {}, 50, 1)


def exponential(mean: float, rows: int = 4000) -> list[float]:
    """Quantiles of an exponential distribution, in an order that says nothing, with its very mean."""
    values = -np.log1p(-(np.arange(rows) + 0.5) / rows)
    values *= mean / values.mean()
    return list(np.random.default_rng(1).permutation(values))


def spoken(rows: int = 40, *, hear: float = 0.5, seed: int = 1) -> dict[str, list[float]]:
    """Parts of turns that are long or short together."""
    length = np.random.default_rng(seed).lognormal(0.0, 0.25, rows)
    means = {"hear": hear, "find": 0.02, "answer": 0.05, "speak": 0.12}
    return {part: list(mean * length) for part, mean in means.items()}
