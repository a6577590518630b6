"""The refusal of a person's own answers, calibrated on questions that nothing else learns from."""

from collections.abc import Sequence
from dataclasses import replace

from twinloop.dialogue.answering.extractive import ExtractiveAnswers
from twinloop.dialogue.answering.refusal import threshold_for
from twinloop.dialogue.answering.settings import AnswerSettings
from twinloop.dialogue.knowledge.index import Index

# Below every confidence.
NEVER = -10.0


def never_refusing(answers: AnswerSettings) -> AnswerSettings:
    """The settings with which whatever is found is said."""
    return replace(answers, refusal=replace(answers.refusal, threshold=NEVER))


def calibrated(index: Index, answers: AnswerSettings, texts: Sequence[str], *, refused: float) -> AnswerSettings:
    """The settings with the threshold at which that share of answerable questions is refused at most.

    texts: of these questions, as they are typed or heard; without any the configured threshold stays.
    """
    answering = ExtractiveAnswers(index, never_refusing(answers))
    given = [answering.answer(text).confidence for text in texts]
    confidences = [value for value in given if value is not None]
    if not confidences:
        return answers
    threshold = threshold_for(confidences, refused=refused)
    return replace(answers, refusal=replace(answers.refusal, threshold=min(max(threshold, NEVER), -NEVER)))
