"""The refusal of a person's own answers, calibrated on questions that nothing else learns from."""

from collections.abc import Sequence
from dataclasses import replace

from twinloop.dialogue.answering.extractive import ExtractiveAnswers
from twinloop.dialogue.answering.refusal import confidence, fitted, threshold_for
from twinloop.dialogue.answering.settings import AnswerSettings
from twinloop.dialogue.knowledge.index import Index

# Below every confidence.
NEVER = -10.0
# Questions of each kind from which weights are fitted.
LEAST = 5


def never_refusing(answers: AnswerSettings) -> AnswerSettings:
    """The settings with which whatever is found is said."""
    return replace(answers, refusal=replace(answers.refusal, threshold=NEVER))


def calibrated(
    index: Index, answers: AnswerSettings, texts: Sequence[str], *, lacking: Sequence[str] = (), refused: float
) -> AnswerSettings:
    """The settings with which that share of answerable questions is refused at most.

    texts: of these questions, as they are typed or heard; without any the settings stay. lacking: of questions without
    an answer; with enough of both kinds what speaks for an answer is weighed anew, else the threshold alone is moved.
    """
    answering = ExtractiveAnswers(index, never_refusing(answers))
    given, without = (
        [found[0] for text in kind if (found := answering.candidates(text)[0])] for kind in (texts, lacking)
    )
    if not given:
        return answers
    own, encoded = answers.refusal, index.encoder is not None
    if min(len(given), len(without)) >= LEAST:
        return replace(answers, refusal=fitted(given, without, own, refused=refused, encoded=encoded))
    threshold = threshold_for([confidence(best, own, encoded=encoded) for best in given], refused=refused)
    return replace(answers, refusal=replace(own, threshold=min(max(threshold, NEVER), -NEVER)))
