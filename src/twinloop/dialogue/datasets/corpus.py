"""A corpus: what one or more persons have, as tables that refer to each other, and the files behind them.

Terms are those of test collections: questions, the evidence that answers them, and the unit (group, speaker, template)
that must not be on two sides of a split.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from twinloop.errors import InputError

SPLITS = ("train", "val", "test")
# "": of no split.
UNDIVIDED = ""
_UTC = pl.Datetime("us", "UTC")
# group: what belongs together, as the paragraphs of one article.
DOCUMENTS: dict[str, Any] = {"document": pl.String, "group": pl.String, "split": pl.String}
# answer: "" where none can be given, then reason says why.
QUESTIONS: dict[str, Any] = {
    "question": pl.String,
    "text": pl.String,
    "paraphrase": pl.String,
    "answer": pl.String,
    "template": pl.String,
    "split": pl.String,
    "reason": pl.String,
}
# page from 1; start and end count characters of the page's visible text, white space as single blanks.
EVIDENCE: dict[str, Any] = {
    "question": pl.String,
    "document": pl.String,
    "page": pl.Int32,
    "start": pl.Int32,
    "end": pl.Int32,
    "quote": pl.String,
}
MEETINGS: dict[str, Any] = {"meeting": pl.String, "day": pl.Date, "split": pl.String}
TURNS: dict[str, Any] = {"meeting": pl.String, "turn": pl.Int32, "speaker": pl.String, "text": pl.String}
# kind: decision or action; who and due of an action.
OUTCOMES: dict[str, Any] = {
    "meeting": pl.String,
    "turn": pl.Int32,
    "kind": pl.String,
    "what": pl.String,
    "who": pl.String,
    "due": pl.Date,
}
# Turns of a meeting, first to last, that answer a question.
SPANS: dict[str, Any] = {"question": pl.String, "meeting": pl.String, "first": pl.Int32, "last": pl.Int32}
MESSAGES: dict[str, Any] = {"conversation": pl.String, "time": _UTC, "sender": pl.String, "text": pl.String}
# priority: 1 is the highest, 0 none (RFC 5545); zone: of the clock by which it recurs.
EVENTS: dict[str, Any] = {
    "event": pl.String,
    "summary": pl.String,
    "start": _UTC,
    "end": _UTC,
    "zone": pl.String,
    "all_day": pl.Boolean,
    "recurring": pl.Boolean,
    "priority": pl.Int32,
    "preparation_min": pl.Float64,
}
RECORDINGS: dict[str, Any] = {"recording": pl.String, "speaker": pl.String, "text": pl.String, "split": pl.String}
TABLES = MappingProxyType(
    {
        "documents": DOCUMENTS,
        "questions": QUESTIONS,
        "evidence": EVIDENCE,
        "meetings": MEETINGS,
        "turns": TURNS,
        "outcomes": OUTCOMES,
        "spans": SPANS,
        "messages": MESSAGES,
        "events": EVENTS,
        "recordings": RECORDINGS,
    }
)
REFERENCES = (
    ("evidence", "question", "questions"),
    ("evidence", "document", "documents"),
    ("spans", "question", "questions"),
    ("spans", "meeting", "meetings"),
    ("turns", "meeting", "meetings"),
    ("outcomes", "meeting", "meetings"),
)
Source = bytes | Path


def rows(schema: Mapping[str, Any], values: Any = ()) -> pl.DataFrame:
    """Tuples in the schema's order as a table."""
    return pl.DataFrame(list(values), schema=dict(schema), orient="row")


@dataclass(frozen=True, eq=False)
class Corpus:
    """Tables as in TABLES, and the files of documents and recordings by name: their content, or where they lie.

    layout: that it was read from. profile: who the person is, where the source says. left_out: reason → number of files
    or entries that were not taken. notes: sentences on what was assumed.
    """

    layout: str
    profile: Mapping[str, Any] = field(default_factory=dict)
    documents: pl.DataFrame = field(default_factory=lambda: rows(DOCUMENTS))
    questions: pl.DataFrame = field(default_factory=lambda: rows(QUESTIONS))
    evidence: pl.DataFrame = field(default_factory=lambda: rows(EVIDENCE))
    meetings: pl.DataFrame = field(default_factory=lambda: rows(MEETINGS))
    turns: pl.DataFrame = field(default_factory=lambda: rows(TURNS))
    outcomes: pl.DataFrame = field(default_factory=lambda: rows(OUTCOMES))
    spans: pl.DataFrame = field(default_factory=lambda: rows(SPANS))
    messages: pl.DataFrame = field(default_factory=lambda: rows(MESSAGES))
    events: pl.DataFrame = field(default_factory=lambda: rows(EVENTS))
    recordings: pl.DataFrame = field(default_factory=lambda: rows(RECORDINGS))
    document_files: Mapping[str, Source] = field(default_factory=dict)
    recording_files: Mapping[str, Source] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, schema in TABLES.items():
            found = dict(self.table(name).schema)
            if found != schema:
                raise InputError(f"corpus: {name}: expected columns {list(schema)} of their types, found {found}")
        for name, key in (("documents", "document"), ("questions", "question"), ("recordings", "recording")):
            column = self.table(name)[key]
            if column.n_unique() < len(column):
                twice = column.filter(column.is_duplicated())[0]
                raise InputError(f"corpus: {name}: expected each {key} once, {twice!r} is there twice: rename one")
        for name, key, other in REFERENCES:
            unknown = self.table(name).join(self.table(other), on=key, how="anti")
            if len(unknown):
                raise InputError(f"corpus: {name} refer to {key} {unknown[key][0]!r}, which is not among the {other}")
        for kind, files in (("document", self.document_files), ("recording", self.recording_files)):
            named = set(self.table(f"{kind}s")[kind])
            if named != set(files):
                raise InputError(
                    f"corpus: expected a file for every {kind}: {sorted(named ^ set(files))[0]!r} has none"
                )

    def table(self, name: str) -> pl.DataFrame:
        """One of TABLES."""
        frame: pl.DataFrame = getattr(self, name)
        return frame

    def content(self, document: str) -> bytes:
        """All of a document's file."""
        source = self.document_files[document]
        return source if isinstance(source, bytes) else source.read_bytes()
