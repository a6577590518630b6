"""What a persona costs: answers that hold the right one without it and no longer with it, question by question."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from twinloop.dialogue.evaluation.answers import hit
from twinloop.dialogue.evaluation.groups import grouped_difference, grouped_mean
from twinloop.errors import InputError
from twinloop.numbers import Interval


class HitLoss(NamedTuple):
    """Shares of questions: hit without and with persona, and the loss between them (the figure persona_hit_loss)."""

    plain: Interval
    persona: Interval
    loss: Interval


def persona_hit_loss(
    plain: Sequence[str],
    persona: Sequence[str],
    answers: Sequence[str],
    groups: Sequence[str],
    *,
    draws: int = 1000,
    confidence: float = 0.95,
    seed: int,
) -> HitLoss:
    """Hits of the same questions without and with persona, paired; intervals by bootstrap over groups (documents).

    All arguments have one entry per question. Raises InputError for none, or for other numbers of them.
    """
    counts = [len(plain), len(persona), len(answers), len(groups)]
    if len(set(counts)) > 1 or not plain:
        raise InputError(f"persona: expected as many plain answers, worded ones, right ones and groups, found {counts}")
    without, worded = (
        [float(hit(text, answer)) for text, answer in zip(texts, answers, strict=True)] for texts in (plain, persona)
    )
    measured = partial(grouped_mean, draws=draws, confidence=confidence, seed=seed)
    apart = grouped_difference(without, worded, groups, draws=draws, confidence=confidence, seed=seed)
    return HitLoss(measured(without, groups), measured(worded, groups), apart)
