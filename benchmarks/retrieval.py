"""What is found: nDCG@10 of QMSum's windows and XQuAD's paragraphs, and how long 100 000 chunks take.

qmsum_ndcg10: windows of 8 turns that do not overlap, over all validation meetings; relevant is a window that holds a
turn of the query's spans. qmsum_within_ndcg10: among the windows of the right meeting. xquad_ndcg10: English
paragraphs, each a document of one chunk. `_lexical` and `_dense` show what either kind of score finds alone.
embedded_…: the same by words and by a small encoder that is learnt here, in minutes and without a question of either
set: sentences torn out of the documents are asked, as `person/providers=embedded` does for a person without questions.
"""

import dataclasses
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.asked import Asked, indexed, qmsum, spread, turns_of, xquad
from twinloop.dialogue.evaluation.ranking import ndcg
from twinloop.dialogue.knowledge.chunks import chunks_of
from twinloop.dialogue.knowledge.dense import Dense
from twinloop.dialogue.knowledge.fusion import Layout, highest, lent, weighted
from twinloop.dialogue.knowledge.index import Index
from twinloop.dialogue.knowledge.lexical import Lexical
from twinloop.dialogue.knowledge.settings import ChunkSettings, IndexSettings, LexicalSettings, RetrievalSettings
from twinloop.dialogue.models.bert import BertShape
from twinloop.dialogue.models.minilm import minilm
from twinloop.dialogue.models.sentence_encoder import TOKENIZER, WEIGHTS, EncoderSettings, SentenceEncoder
from twinloop.dialogue.training.encoder import fit_encoder
from twinloop.dialogue.training.pairs import cloze_pairs
from twinloop.dialogue.training.settings import EncoderTrainingSettings
from twinloop.errors import TwinloopError

NAMES = (
    "qmsum_ndcg10",
    "qmsum_within_ndcg10",
    "xquad_ndcg10",
    "embedded_qmsum_ndcg10",
    "embedded_xquad_ndcg10",
)
RANKS = 10
# A paragraph is never cut: every one of XQuAD's is shorter.
PARAGRAPHS = IndexSettings(chunks=ChunkSettings(words=1000, overlap=0))
ENCODER = EncoderSettings(precision="int8")
# A gathering of chunks as large as asked for: meetings of 100 chunks, words drawn as rarely as in a language (Zipf).
LARGE, PIECES, PER_DOCUMENT, WORDS_PER_CHUNK, VOCABULARY, DIMENSIONS = 100_000, 1, 100, 60, 50_000, 384
ALONE = {
    "lexical": RetrievalSettings(lexical=1, neighbours=0, documents=0, matter=0),
    "dense": RetrievalSettings(lexical=0, neighbours=0, documents=0, matter=0),
}


def measured(data: Path | None, work: Path, reasons: dict[str, str]) -> dict[str, Any]:
    """All figures of this part."""
    figures: dict[str, Any] = large()
    if data is None:
        reasons["retrieval"] = "no folder of data: give --data DIR or TWINLOOP_DATA"
        return {**figures, **dict.fromkeys(NAMES)}
    for name, part in (("qmsum", meetings), ("xquad", paragraphs)):
        try:
            figures |= part(data / name, work)
        except TwinloopError as error:
            reasons[name] = str(error)
            figures |= {key: None for key in NAMES if name in key and key not in figures}
    return figures


def meetings(folder: Path, work: Path) -> dict[str, float]:
    """nDCG@10 of windows over all meetings, and within the right one."""
    asked, settings = qmsum(folder, "val"), IndexSettings()
    index = indexed(asked.documents, minilm(ENCODER), settings, work)
    turns = {document.digest: turns_of(document, settings) for document in asked.documents}
    relevant = [
        {(query.document, number) for number, lines in turns[query.document].items() if lines & query.lines}
        for query in asked.queries
    ]
    floor = indexed(asked.documents, learnt_here(asked, settings, work), settings, work)
    figures = scored("embedded_qmsum_ndcg10", floor, asked, relevant, within=False)
    for suffix, retrieval in {"": settings.retrieval, **{f"_{name}": alone for name, alone in ALONE.items()}}.items():
        index.settings = dataclasses.replace(settings, retrieval=retrieval)
        figures |= scored(f"qmsum_ndcg10{suffix}", index, asked, relevant, within=False)
        figures |= scored(f"qmsum_within_ndcg10{suffix}", index, asked, relevant, within=True)
    return figures


def paragraphs(folder: Path, work: Path) -> dict[str, float]:
    """nDCG@10 of the one paragraph that a question is about."""
    asked = xquad(folder)
    index = indexed(asked.documents, minilm(ENCODER), PARAGRAPHS, work)
    relevant = [{(query.document, 0)} for query in asked.queries]
    floor = indexed(asked.documents, learnt_here(asked, PARAGRAPHS, work), PARAGRAPHS, work)
    figures = scored("embedded_xquad_ndcg10", floor, asked, relevant, within=False)
    for suffix, retrieval in {"": PARAGRAPHS.retrieval, **{f"_{name}": alone for name, alone in ALONE.items()}}.items():
        index.settings = dataclasses.replace(PARAGRAPHS, retrieval=retrieval)
        figures |= scored(f"xquad_ndcg10{suffix}", index, asked, relevant, within=False)
    return figures


def learnt_here(asked: Asked, settings: IndexSettings, work: Path) -> SentenceEncoder:
    """An encoder of nothing but the documents; its epoch is chosen by sentences of every third passage."""
    passages = [chunk.text for document in asked.documents for chunk in chunks_of(document, settings.chunks)]
    held, learnt_from = passages[::3], [text for place, text in enumerate(passages) if place % 3]
    pairs, chosen_by = (cloze_pairs(side, 2 * len(side), seed=0) for side in (learnt_from, held))
    training = EncoderTrainingSettings()
    with tempfile.TemporaryDirectory(dir=work) as folder:
        fit_encoder(pairs, chosen_by, Path(folder), training, seed=0, show=None)
        files = Path(folder) / WEIGHTS, Path(folder) / TOKENIZER
        return SentenceEncoder(*files, shape=BertShape(training.layers, training.heads))


def scored(
    name: str, index: Index, asked: Asked, relevant: list[set[tuple[str, int]]], *, within: bool
) -> dict[str, float]:
    """Mean nDCG@10 over the queries that have something relevant, with its half-width."""
    gains, groups = [], []
    for query, wanted in zip(asked.queries, relevant, strict=True):
        if wanted:
            hits = index.search(query.text, RANKS, within=[query.document] if within else None)
            ranked = [(hit.chunk.document, hit.chunk.number) for hit in hits]
            gains.append(ndcg(ranked, wanted, at=RANKS))
            groups.append(query.group)
    return spread(name, gains, groups)


def large() -> dict[str, float]:
    """Median and 95th percentile of milliseconds per question over 100 000 chunks, its encoding not counted."""
    random = np.random.default_rng(0)
    drawn = random.zipf(1.2, size=(LARGE, WORDS_PER_CHUNK)) % VOCABULARY
    words = np.array([f"w{number}" for number in range(VOCABULARY)], dtype=object)[drawn]
    vectors = random.standard_normal((PIECES * LARGE, DIMENSIONS), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    lexical, dense = Lexical([list(row) for row in words], LexicalSettings()), Dense(vectors, np.full(LARGE, PIECES))
    starts = np.arange(0, LARGE, PER_DOCUMENT)
    matter = Lexical([list(words[start : start + PER_DOCUMENT].flat) for start in starts], LexicalSettings())
    layout, settings = Layout(starts, np.ones(len(starts), np.bool_), LARGE), RetrievalSettings()
    milliseconds = []
    for number in random.integers(LARGE, size=100):
        question = " ".join(words[number][:12])
        started = time.perf_counter()
        own = weighted(
            lexical.scores(question),
            dense.scores(vectors[number], whole=settings.whole),
            weight=settings.lexical,
        )
        highest(lent(own, matter.scores(question), layout, settings), RANKS)
        milliseconds.append(1000 * (time.perf_counter() - started))
    p50, p95 = np.quantile(milliseconds, (0.5, 0.95))
    return {"search_100k_ms_p50": round(float(p50), 1), "search_100k_ms_p95": round(float(p95), 1)}
