"""One turn of a conversation: what was heard, what is said and on which grounds, and what each part took."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from twinloop.dialogue.answering.answer import Answer
from twinloop.dialogue.providers.protocols import Audio, Usage

# In the order in which a turn goes through them; a typed turn is not heard, a silent one not spoken.
PARTS = ("hear", "find", "answer", "speak")
# Of a part that did not work.
NOTHING = Usage(0.0)


@dataclass(frozen=True)
class Turn:
    """One turn.

    heard: the user's words, typed or recognised. question: in full, completed by the turns before. said: the whole
    text of the reply; citations: where its quotations stand. usage: part → what it took, of the parts that worked.
    audio: the reply spoken, None where it was not. cached: the answer was known from an earlier turn. failed: which
    part failed and why; the turn ended there. kept: whether something that it tells was kept in memory; noted: whether
    that is all there was to do, as it asks nothing.
    """

    number: int
    spoken: bool
    heard: str
    question: str
    said: str
    answer: Answer | None
    citations: tuple[str, ...]
    usage: Mapping[str, Usage]
    audio: Audio | None = None
    cached: bool = False
    failed: str = ""
    kept: bool = False
    noted: bool = False

    @property
    def refused(self) -> bool:
        """Whether nothing was answered to what was asked."""
        return not self.citations and not self.noted

    @property
    def reason(self) -> str:
        """Why nothing was answered, in a sentence; empty where something was."""
        if not self.refused:
            return ""
        return self.failed or (self.answer.reason if self.answer is not None else "") or self.said

    @property
    def seconds(self) -> float:
        """By the clock, of all parts."""
        return sum(usage.seconds for usage in self.usage.values())

    def record(self) -> dict[str, Any]:
        """Plain values for JSON: heard, answer, citations, refused, milliseconds per part."""
        return {
            "heard": self.heard,
            "question": self.question,
            "answer": self.said,
            "citations": list(self.citations),
            "refused": self.refused,
            "noted": self.noted,
            "cached": self.cached,
            "failed": self.failed,
            "milliseconds": {part: round(1e3 * usage.seconds, 1) for part, usage in self.usage.items()},
        }

    def _repr_html_(self) -> str:
        sources = "".join(f"<li>{escape(citation)}</li>" for citation in self.citations)
        took = ", ".join(f"{part} {1e3 * usage.seconds:.0f} ms" for part, usage in self.usage.items())
        asked, said = f"<p><b>{escape(self.heard)}</b></p>", f"<p>{escape(self.said)}</p>"
        return f"{asked}{said}<ol>{sources}</ol><p><small>{escape(took)}</small></p>"
