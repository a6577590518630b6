"""Questions of QMSum and XQuAD for `benchmarks/dialogue.py`, as documents of the project, and intervals over groups."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from twinloop.dialogue.evaluation.groups import grouped_mean
from twinloop.dialogue.knowledge.chunks import chunks_of
from twinloop.dialogue.knowledge.files import load_index, save_index
from twinloop.dialogue.knowledge.index import Index
from twinloop.dialogue.knowledge.readers.document import Document, conversation
from twinloop.dialogue.knowledge.readers.reading import parse_document
from twinloop.dialogue.knowledge.settings import IndexSettings
from twinloop.dialogue.providers.protocols import Encoder
from twinloop.errors import InputError
from twinloop.files import fingerprint

# Noises that the transcripts of AMI and ICSI note between braces.
NOISES = re.compile(r"\{[a-z]+\}")


class Query(NamedTuple):
    """A question, the group that its luck is shared with, and what answers it.

    document: digest of the one document that does; lines: of its turns that do (none where the whole document does);
    answers: texts of which each is one.
    """

    text: str
    group: str
    document: str
    lines: frozenset[int]
    answers: tuple[str, ...]


class Asked(NamedTuple):
    """Documents, and questions about them."""

    documents: tuple[Document, ...]
    queries: tuple[Query, ...]


def qmsum(folder: Path, split: str) -> Asked:
    """Meetings as conversations with their specific queries. Raises InputError where the folder holds none."""
    documents, queries = [], []
    for path in sorted((folder / "data" / split).glob("*.json")):
        meeting = json.loads(path.read_text(encoding="utf-8"))
        turns = [(turn["speaker"], NOISES.sub(" ", turn["content"])) for turn in meeting["meeting_transcripts"]]
        document = conversation(path.stem, turns)
        documents.append(document)
        for query in meeting["specific_query_list"]:
            spans = [(int(first), int(last)) for first, last in query["relevant_text_span"]]
            lines = frozenset(n for first, last in spans for n in range(first, min(last, len(turns) - 1) + 1))
            queries.append(Query(query["query"], path.stem, document.digest, lines, (query["answer"],)))
    if not documents:
        raise InputError(f"{folder}: no meetings of QMSum below data/{split}: give --data DIR with qmsum/ in it")
    return Asked(tuple(documents), tuple(queries))


def xquad(folder: Path) -> Asked:
    """Paragraphs as documents, the questions about each. Raises InputError where the folder holds none."""
    path = folder / "xquad.en.json"
    if not path.is_file():
        raise InputError(f"{path}: no such file: give --data DIR with xquad/ in it")
    documents, queries = {}, []
    for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
        for number, paragraph in enumerate(article["paragraphs"]):
            document = parse_document(f"{article['title']}-{number}.txt", paragraph["context"].encode())
            documents[document.digest] = document
            queries += [
                Query(
                    question["question"],
                    article["title"],
                    document.digest,
                    frozenset(),
                    tuple(answer["text"] for answer in question["answers"]),
                )
                for question in paragraph["qas"]
            ]
    return Asked(tuple(documents.values()), tuple(queries))


def indexed(documents: Sequence[Document], encoder: Encoder | None, settings: IndexSettings, work: Path) -> Index:
    """An index over documents; it is kept below `work`, since encoding takes most of the time."""
    made_of = {"documents": sorted(d.digest for d in documents), "encoder": encoder and encoder.digest}
    folder = work / fingerprint({**made_of, "chunks": repr(settings.chunks), "stems": settings.lexical.stems})[:16]
    if folder.exists():
        return load_index(folder, encoder, settings)
    index = Index(encoder, settings)
    for document in documents:
        index.add(document)
    save_index(index, folder)
    return index


def turns_of(document: Document, settings: IndexSettings) -> dict[int, frozenset[int]]:
    """Chunk number → the lines of its conversation that are in it."""
    text = document.pages[0].text
    return {
        chunk.number: frozenset(range(text.count("\n", 0, chunk.start), text.count("\n", 0, chunk.end) + 1))
        for chunk in chunks_of(document, settings.chunks)
    }


def spread(name: str, values: Sequence[float], groups: Sequence[str]) -> dict[str, float]:
    """A mean with half of its 95 % interval, by bootstrap over groups."""
    found = grouped_mean(values, groups, seed=0)
    return {name: round(found.mean, 4), f"{name}_half": round(found.half_width, 4)}
