"""An answer: statements, each with where it stands, or the reason why there is none.

What comes from documents is somebody else's text: it is shown as a quotation, escaped, whatever it says.
"""

from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

from twinloop.dialogue.knowledge.chunks import Chunk

NOTHING_KNOWN = "I have no documents yet, so I cannot answer."
NO_QUESTION = "There is no question in that."
NOTHING_FOUND = "My documents do not say."
ONLY_INSTRUCTIONS = "All I found are instructions to whoever reads them, and I follow none."
CUT_OFF = "What was written about it was cut off before its end."
UNSUPPORTED = "What was written about it is not in my documents, so I leave it."


class Citation(NamedTuple):
    """Characters start … end of a page of the document with this digest and name."""

    document: str
    name: str
    page: int
    start: int
    end: int

    @classmethod
    def of(cls, chunk: Chunk, name: str) -> "Citation":
        """The whole of a chunk."""
        return cls(chunk.document, name, chunk.page, chunk.start, chunk.end)


class Statement(NamedTuple):
    """One sentence of an answer and what it rests on; `quoted` where it is the document's own, word for word."""

    text: str
    citation: Citation
    quoted: bool


@dataclass(frozen=True)
class Answer:
    """What is said to a question. reason: why nothing is, in a sentence; empty where something is.

    confidence: in the first statement (`RefusalSettings`), None where it was not asked for; left_out:
    sentences that were not used since they instruct whoever reads them, or since nothing supported them; cut_off:
    whether who wrote it was stopped, so that more may belong to it.
    """

    question: str
    statements: tuple[Statement, ...]
    confidence: float | None = None
    reason: str = ""
    left_out: int = 0
    cut_off: bool = False

    @property
    def refused(self) -> bool:
        """Whether there is no answer."""
        return not self.statements

    @property
    def text(self) -> str:
        """The statements as one text; the reason where there are none."""
        return " ".join(statement.text for statement in self.statements) or self.reason

    def record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "question": self.question,
            "answer": self.text,
            "refused": self.refused,
            "confidence": self.confidence,
            "left_out": self.left_out,
            "cut_off": self.cut_off,
            "citations": [statement.citation._asdict() for statement in self.statements],
        }

    def _repr_html_(self) -> str:
        if self.refused:
            return f"<p>{escape(self.reason)}</p>"
        parts = (
            f"<p>{_html(statement)}<br><small>{escape(cited(statement.citation))}</small></p>"
            for statement in self.statements
        )
        return "".join(parts)


def cited(citation: Citation) -> str:
    """A citation as a person reads it.

    >>> cited(Citation("5e1f", "oven.pdf", 3, 10, 42))
    'oven.pdf, page 3, characters 10 to 42'
    """
    return f"{citation.name}, page {citation.page}, characters {citation.start} to {citation.end}"


def _html(statement: Statement) -> str:
    text = escape(statement.text)
    return f"<q>{text}</q>" if statement.quoted else text
