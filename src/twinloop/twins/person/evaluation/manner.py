"""Whether the persona shows in the answers, and what it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from twinloop.dialogue.answering.answer import Answer
from twinloop.dialogue.evaluation.persona_cost import persona_hit_loss
from twinloop.dialogue.evaluation.questions import Asked
from twinloop.dialogue.persona.adherence import persona_rank
from twinloop.dialogue.persona.answer import Extract
from twinloop.dialogue.persona.settings import SLIDERS, PersonaSettings
from twinloop.dialogue.persona.wording import worded
from twinloop.numbers import Interval
from twinloop.twins.person.chain import Chain, answers_in, writes
from twinloop.twins.person.config import EvaluateSettings
from twinloop.twins.person.evaluation.judged import extract_of

SHOWN: dict[str, Any] = {"slider": pl.String, "rank": pl.Float64, "low": pl.Float64, "high": pl.Float64}
MANNERS: dict[str, Any] = {"slider": pl.String, "value": pl.Float64, "text": pl.String}
STEPS = (0.0, 0.5, 1.0)


class Manner(NamedTuple):
    """Slider → its rank correlation, texts of one answer at several values, key figures."""

    sliders: pl.DataFrame
    manners: pl.DataFrame
    figures: dict[str, Interval]


def manner(chain: Chain, answered: Sequence[tuple[Asked, Answer]], settings: EvaluateSettings, *, seed: int) -> Manner:
    """Of answers that were given; nothing where there are fewer than two."""
    extracts = [extract_of(answer) for _, answer in answered][: settings.extracts]
    given: dict[str, Any] = {"confidence": settings.confidence, "seed": seed}
    if len(extracts) < 2:
        return Manner(pl.DataFrame(schema=SHOWN), pl.DataFrame(schema=MANNERS), {})
    ranks = persona_rank(extracts, lambda one, persona: said(chain, one, persona), bootstrap=settings.draws, **given)
    rows = [(name, *_ends(getattr(ranks, name))) for name in SLIDERS]
    own = chain.own.persona
    shown = [(name, value, said(chain, extracts[0], _with(own, {name: value}))) for name in SLIDERS for value in STEPS]
    figures = {"persona_rank": ranks.least}
    if known := [(one, answer) for one, answer in answered if one.evidence]:
        drawn = np.random.default_rng(seed).random((len(known), len(SLIDERS)))
        personas = [_with(own, dict(zip(SLIDERS, map(float, row), strict=True))) for row in drawn]
        loss = persona_hit_loss(
            [answer.text for _, answer in known],
            [said(chain, extract_of(answer), persona) for (_, answer), persona in zip(known, personas, strict=True)],
            [one.answer for one, _ in known],
            [one.group for one, _ in known],
            draws=settings.draws,
            **given,
        )
        figures["persona_hit_loss"] = loss.loss
    return Manner(
        pl.DataFrame(rows, schema=SHOWN, orient="row"), pl.DataFrame(shown, schema=MANNERS, orient="row"), figures
    )


def said(chain: Chain, extract: Extract, persona: PersonaSettings) -> str:
    """The answer in a persona's words: what quotes is worded, a language model writes anew."""
    if not writes(chain):
        return worded(extract, persona, chain.own.style).text
    answers = answers_in(chain, persona)
    return answers.answer(extract.question, chain.index.search(extract.question, answers.passages)).text


def _with(persona: PersonaSettings, sliders: Mapping[str, Any]) -> PersonaSettings:
    return replace(persona, **sliders)


def _ends(one: Interval) -> tuple[float, float, float]:
    return one.mean, one.low, one.high
