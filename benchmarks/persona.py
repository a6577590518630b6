"""What a persona shows and what it costs, on answers quoted from the documents of fictional persons.

persona_rank: the lowest of the four rank correlations between a slider and its proxy, all sliders drawn at random; that
of each slider beside it. persona_hit_loss: share of the questions that were answered rightly without persona and no
longer are with one, paired, with the same sliders at random; negative where it answers more.
"""

from pathlib import Path
from typing import Any

import numpy as np

from twinloop.dialogue.answering.answer import Answer, cited
from twinloop.dialogue.answering.extractive import ExtractiveAnswers
from twinloop.dialogue.answering.settings import AnswerSettings, RefusalSettings
from twinloop.dialogue.evaluation.persona_cost import persona_hit_loss
from twinloop.dialogue.knowledge.index import Index
from twinloop.dialogue.knowledge.readers.reading import parse_document
from twinloop.dialogue.persona.adherence import persona_rank
from twinloop.dialogue.persona.answer import Extract, Quote
from twinloop.dialogue.persona.settings import SLIDERS, PersonaSettings
from twinloop.dialogue.persona.wording import worded
from twinloop.dialogue.synthetic.person import person
from twinloop.dialogue.synthetic.rendering import rendered
from twinloop.dialogue.synthetic.settings import PersonSettings

PERSONS, SEED = 3, 2026
# It is about wording: whatever is found is said.
NEVER_REFUSED = AnswerSettings(refusal=RefusalSettings(threshold=-10.0))


def measured(data: Path | None, work: Path, reasons: dict[str, str]) -> dict[str, Any]:
    """All figures of this part; they need no folder of data."""
    extracts, plain, right, groups = [], [], [], []
    for number in range(PERSONS):
        someone = person(PersonSettings(), number, seed=SEED)
        index = Index()
        for paper in someone.papers:
            index.add(parse_document(paper.name, rendered(paper)))
        answers = ExtractiveAnswers(index, NEVER_REFUSED)
        for question in someone.questions:
            answer = answers.answer(question.question)
            if not question.reason and not answer.refused:
                extracts.append(_extract(question.question, answer))
                plain.append(answer.text)
                right.append(question.answer)
                groups.append(f"{number}/{question.document}")
    ranks = persona_rank(extracts, lambda one, persona: worded(one, persona).text, seed=SEED)
    drawn = np.random.default_rng(SEED).random((len(extracts), len(SLIDERS)))
    styled = [
        worded(one, PersonaSettings(**dict(zip(SLIDERS, map(float, row), strict=True)))).text
        for one, row in zip(extracts, drawn, strict=True)
    ]
    loss = persona_hit_loss(plain, styled, right, groups, seed=SEED)
    figures = {"persona_rank": ranks.least, "persona_hit_loss": loss.loss, "persona_hit_plain": loss.plain}
    figures |= {f"persona_rank_{name}": getattr(ranks, name) for name in SLIDERS}
    halves = {f"{name}_half": round(interval.half_width, 4) for name, interval in figures.items()}
    return {name: round(interval.mean, 4) for name, interval in figures.items()} | halves


def _extract(question: str, answer: Answer) -> Extract:
    return Extract(
        question, tuple(Quote(one.text, cited(one.citation), one.citation.name) for one in answer.statements)
    )
