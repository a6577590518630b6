"""Answers in the documents' own words: the best sentences of the best passages, each cited, or a refusal."""

from collections.abc import Sequence

from twinloop.dialogue.answering.answer import (
    NO_QUESTION,
    NOTHING_FOUND,
    NOTHING_KNOWN,
    ONLY_INSTRUCTIONS,
    Answer,
    Statement,
)
from twinloop.dialogue.answering.refusal import confidence
from twinloop.dialogue.answering.selector import Candidate, Selector
from twinloop.dialogue.answering.settings import AnswerSettings
from twinloop.dialogue.knowledge.index import Hit, Index
from twinloop.dialogue.providers.protocols import Message


class ExtractiveAnswers:
    """Answers questions from an index by quoting."""

    def __init__(self, index: Index, settings: AnswerSettings | None = None) -> None:
        self._index, self._settings = index, settings or AnswerSettings()
        self._selector = Selector(index, self._settings.selector)

    @property
    def passages(self) -> int:
        """Chunks that are looked through."""
        return self._settings.passages

    def answer(self, question: str, hits: Sequence[Hit] | None = None, history: Sequence[Message] = ()) -> Answer:
        """At most `statements` sentences, the best first; none where the best is not sure enough.

        hits: chunks found before, None to look for them here. The messages before change no quotation.
        """
        candidates, left_out, reason = self.candidates(question, hits)
        if reason:
            return Answer(question, (), reason=reason, left_out=left_out)
        sure = confidence(candidates[0], self._settings.refusal, encoded=self._index.encoder is not None)
        if sure < self._settings.refusal.threshold:
            return Answer(question, (), sure, NOTHING_FOUND, left_out)
        best = candidates[: self._settings.statements]
        statements = tuple(Statement(one.text, one.citation, quoted=True) for one in best)
        return Answer(question, statements, sure, left_out=left_out)

    def candidates(self, question: str, hits: Sequence[Hit] | None = None) -> tuple[list[Candidate], int, str]:
        """Sentences that may answer, how many were left out, and why there is none; empty where there is one."""
        if not any(c.isalnum() for c in question):
            return [], 0, NO_QUESTION
        if not len(self._index):
            return [], 0, NOTHING_KNOWN
        hits = self._index.search(question, self.passages) if hits is None else hits[: self.passages]
        candidates, left_out = self._selector.ranked(question, hits)
        reason = "" if candidates else ONLY_INSTRUCTIONS if left_out else NOTHING_FOUND
        return candidates, left_out, reason
