"""Prepare a person: a fictional one or what is recorded of a real one, divided so that nothing leaks, and spoken."""

import dataclasses
import io
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from twinloop.config.sources import dependency, located
from twinloop.dialogue.datasets import stored
from twinloop.dialogue.datasets.corpus import TABLES, UNDIVIDED, Corpus
from twinloop.dialogue.datasets.layouts import read
from twinloop.dialogue.datasets.settings import CorpusSettings
from twinloop.dialogue.datasets.splits import corpus_leaks, divided, leaky_split, require_none
from twinloop.dialogue.synthetic.person import person, write_person
from twinloop.errors import InputError
from twinloop.files import write_json
from twinloop.numbers import counted
from twinloop.twins.person import paths
from twinloop.twins.person.config import PersonConfig, SourceSettings
from twinloop.twins.person.data.spoken import Speech, spoken
from twinloop.twins.person.data.voices import Voices, installed
from twinloop.twins.person.files import LEAKY_SPLIT, PREPARED, SEGMENTS, SPOKEN
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop person prepare"


def run(stage: Stage[PersonConfig]) -> str:
    """Write the corpus with its recordings and the stage's metrics; returns how much of what there is."""
    data, seed = stage.config.person.data, stage.config.seed
    corpus = _corpus(stage)
    if corpus.documents.is_empty() and corpus.turns.is_empty():
        raise InputError(
            f"person: {data.source}: holds no document and no meeting, so nothing can be found in it: add documents "
            "(PDF, TXT, Markdown, HTML), or choose person/data=fictional"
        )
    shares = {"val_share": data.reading.val_share, "test_share": data.reading.test_share}
    corpus = divided(corpus, **shares, seed=seed)
    require_none(corpus_leaks(corpus))
    voices = installed(data.speaking.programs)
    speech = spoken(corpus, voices, data.speaking, meetings=data.kind == "fictional", seed=seed, workers=stage.workers)
    corpus = dataclasses.replace(
        corpus,
        recordings=pl.concat([corpus.recordings, speech.recordings]),
        recording_files={**corpus.recording_files, **speech.files},
    )
    _save(corpus, speech, voices, stage.root / paths.DATASET, seed=seed)
    measured = _metrics(corpus, speech, voices) | {"dataset_sha256": stored.digest(stage.root / paths.DATASET)}
    write_json(stage.root / paths.metrics("prepare"), measured)
    return _summary(measured)


def _corpus(stage: Stage[PersonConfig]) -> Corpus:
    data = stage.config.person.data
    if data.kind == "recorded":
        source = located(dependency(data.source), root=stage.root, main=stage.main or stage.root)
        return read(source, data.reading)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "person"
        write_person(person(data.fictional, seed=stage.config.seed), source)
        corpus = read(source, _reading(data))
        return dataclasses.replace(
            corpus, document_files={name: corpus.content(name) for name in corpus.document_files}
        )


def _reading(data: SourceSettings) -> CorpusSettings:
    """A fictional calendar recurs without an end and across changes of the clock: its year, by the standard."""
    calendar = dataclasses.replace(data.reading.calendar, until=f"{data.fictional.year}-12-31", clock_change="standard")
    return dataclasses.replace(data.reading, kind="person", calendar=calendar)


def _save(corpus: Corpus, speech: Speech, voices: Voices, folder: Path, *, seed: int) -> None:
    held = corpus.questions.filter(pl.col("split") != UNDIVIDED)
    leaky = held.select("question", split=pl.Series(leaky_split(held["split"].to_list(), seed=seed), dtype=pl.String))
    prepared = {
        "layout": corpus.layout,
        "notes": list(corpus.notes),
        "missing": list(voices.missing),
        "leaks": 0,
        "left_out": dict(corpus.left_out),
        "counts": {name: len(corpus.table(name)) for name in TABLES},
    }
    tables = {SPOKEN: speech.spoken, SEGMENTS: speech.segments, LEAKY_SPLIT: leaky}
    beside = {name: _parquet(table) for name, table in tables.items()}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / PREPARED
        write_json(path, prepared)
        stored.save(corpus, folder, beside=beside | {PREPARED: path.read_bytes()})


def _parquet(table: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    table.write_parquet(content)
    return content.getvalue()


def _metrics(corpus: Corpus, speech: Speech, voices: Voices) -> dict[str, Any]:
    return {
        "data": corpus.layout,
        "documents": len(corpus.documents),
        "questions": len(corpus.questions),
        "unanswerable": int((corpus.questions["answer"] == "").sum()),
        "meetings": len(corpus.meetings),
        "messages": len(corpus.messages),
        "events": len(corpus.events),
        "recordings": len(corpus.recordings),
        "voices": speech.spoken["voice"].n_unique() - int(speech.spoken["voice"].has_nulls()),
        "spoken_min": round(speech.spoken["seconds"].sum() / 60, 2),
        "missing": ", ".join(voices.missing) or None,
        "leaks": 0,
        "left_out": sum(corpus.left_out.values()),
    }


def _summary(measured: dict[str, Any]) -> str:
    spoken_in = f"{counted(measured['recordings'], 'recording')} in {counted(measured['voices'], 'voice')}"
    missing = f"; {measured['missing']} not installed" if measured["missing"] else ""
    silent = f"nothing is spoken{missing}: the chain runs on text"
    return (
        f"{counted(measured['documents'], 'document')}, {counted(measured['meetings'], 'meeting')}, "
        f"{counted(measured['messages'], 'message')}, {counted(measured['events'], 'appointment')}, "
        f"{counted(measured['questions'], 'question')}; "
        + (f"{spoken_in}{missing}" if measured["recordings"] else silent)
    )
