"""The sentence selector of a person's own answers: learnt where that is as good as by hand on questions held out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from twinloop.dialogue.answering.extractive import ExtractiveAnswers
from twinloop.dialogue.answering.settings import AnswerSettings
from twinloop.dialogue.evaluation.groups import grouped_difference
from twinloop.dialogue.evaluation.questions import Asked, judged, stating
from twinloop.dialogue.knowledge.index import Index
from twinloop.dialogue.training.selector import Choice, fit_selector
from twinloop.dialogue.training.settings import SelectorTrainingSettings
from twinloop.numbers import Interval
from twinloop.twins.person.learning.refusal import never_refusing

# Questions on a side; of fewer neither is a weight learnt nor two selectors told apart.
LEAST = 5


class Learnt(NamedTuple):
    """The settings to answer by, and why. by_hand and learnt: answers right on the questions held out, None unlearnt.

    gain: of the learnt one, paired; taken: whether it is what the settings hold.
    """

    answers: AnswerSettings
    taken: bool = False
    by_hand: float | None = None
    learnt: float | None = None
    gain: Interval | None = None

    @property
    def figures(self) -> dict[str, float | str | None]:
        """As metrics."""
        ends = ("mean", "low", "high")
        gained = (None if self.gain is None else getattr(self.gain, end) for end in ends)
        names = ("selector_gain", "selector_gain_low", "selector_gain_high")
        return {
            "selector": "learnt" if self.taken else "by hand",
            "selector_hit_by_hand": self.by_hand,
            "selector_hit_learnt": self.learnt,
            **dict(zip(names, gained, strict=True)),
        }

    def __str__(self) -> str:
        if self.by_hand is None or self.learnt is None:
            return "sentences chosen by hand-set weights, too few questions to learn any"
        beside = f"answers right {self.learnt:.3f} learnt, {self.by_hand:.3f} by hand"
        return f"sentences chosen by {'learnt' if self.taken else 'hand-set'} weights ({beside})"


def learn_selector(
    index: Index,
    answers: AnswerSettings,
    learnt_from: Sequence[Asked],
    judged_by: Sequence[Asked],
    settings: SelectorTrainingSettings,
    *,
    seed: int,
) -> Learnt:
    """Learn the selector's weights from questions, and take them where the held ones are answered at least as well."""
    own = never_refusing(answers)
    choices, held = (choices_of(index, own, asked) for asked in (learnt_from, judged_by))
    if min(len(choices), len(held)) < LEAST:
        return Learnt(answers)
    learnt = replace(answers, selector=fit_selector(choices, held, answers.selector, settings, seed=seed).settings)
    asked = [one for one in judged_by if one.evidence]
    by_hand, by_learnt = (
        judged(index, ExtractiveAnswers(index, never_refusing(one)).answer, asked)["hit"] for one in (answers, learnt)
    )
    gain = grouped_difference(by_learnt, by_hand, [one.group for one in asked], seed=seed)
    taken = gain.mean >= 0
    before, after = (float(hits.mean()) for hits in (by_hand, by_learnt))  # type: ignore[arg-type]
    return Learnt(learnt if taken else answers, taken, before, after, gain)


def choices_of(index: Index, answers: AnswerSettings, asked: Sequence[Asked]) -> list[Choice]:
    """The sentences that are compared for each question; without those of which none is right."""
    answering = ExtractiveAnswers(index, answers)
    choices = []
    for one in asked:
        candidates = answering.candidates(one.text)[0]
        right = stating([candidate.citation for candidate in candidates], one.evidence)
        if any(right):
            choices.append(Choice.of(candidates, right))
    return choices
