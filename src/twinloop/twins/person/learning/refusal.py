"""The refusal of a person's own answers: weighed on questions learnt from, its threshold set on others."""

from collections.abc import Sequence
from dataclasses import replace

from twinloop.dialogue.answering.extractive import ExtractiveAnswers
from twinloop.dialogue.answering.refusal import Signs, confidence, fitted, threshold_for
from twinloop.dialogue.answering.selector import Candidate
from twinloop.dialogue.answering.settings import MOST_WEIGHT, AnswerSettings
from twinloop.dialogue.evaluation.questions import Asked, stating
from twinloop.dialogue.knowledge.index import Index

# Below every confidence.
NEVER = -MOST_WEIGHT
# Questions of each kind from which weights are fitted.
LEAST = 5


def never_refusing(answers: AnswerSettings) -> AnswerSettings:
    """The settings with which whatever is found is said."""
    return replace(answers, refusal=replace(answers.refusal, threshold=NEVER))


def weighed(index: Index, answers: AnswerSettings, asked: Sequence[Asked]) -> AnswerSettings:
    """The settings whose refusal tells these questions from ones without an answer; the same ones for too few.

    Those without are the ones that have none, and each other one twice: without the document that answers it, as if it
    had never come in, and without the sentence, as if the document were silent.
    """
    answering, encoded = ExtractiveAnswers(index, never_refusing(answers)), index.encoder is not None
    every = [entry.digest for entry in index.entries]
    given: list[list[Candidate]] = []
    without: list[list[Candidate]] = []
    for one in asked:
        candidates = answering.candidates(one.text)[0]
        if not one.evidence:
            without.append(candidates)
            continue
        right = stating([candidate.citation for candidate in candidates], one.evidence)
        documents = {place.document for place in one.evidence}
        others = index.search(one.text, answering.passages, within=[d for d in every if d not in documents])
        given.append(candidates)
        without.append(answering.candidates(one.text, others)[0])
        without.append([candidate for candidate, states in zip(candidates, right, strict=True) if not states])
    known, lacking = ([Signs.of(found[0], encoded=encoded) for found in kind if found] for kind in (given, without))
    if min(len(known), len(lacking)) < LEAST:
        return answers
    return replace(answers, refusal=fitted(known, lacking, answers.refusal))


def calibrated(index: Index, answers: AnswerSettings, texts: Sequence[str], *, refused: float) -> AnswerSettings:
    """The settings with which that share of answerable questions is refused at most.

    texts: of these questions, as they are typed or heard; without any the settings stay.
    """
    answering, encoded = ExtractiveAnswers(index, never_refusing(answers)), index.encoder is not None
    found = [candidates for text in texts if (candidates := answering.candidates(text)[0])]
    if not found:
        return answers
    sure = [confidence(candidates[0], answers.refusal, encoded=encoded) for candidates in found]
    threshold = threshold_for(sure, refused=refused)
    return replace(answers, refusal=replace(answers.refusal, threshold=min(max(threshold, NEVER), -NEVER)))
