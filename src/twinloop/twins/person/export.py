"""Write the person's self as it is served: the encoder in 8 bits where that loses nothing, the index, the manner.

Both precisions are held against each other by what they find and answer, on questions that nothing learnt from; their
vectors are never equal. Measured time goes to latency.json and chooses nothing.
"""

import dataclasses
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinloop.config import parse
from twinloop.dialogue.answering.extractive import ExtractiveAnswers
from twinloop.dialogue.answering.settings import AnswerSettings
from twinloop.dialogue.evaluation.questions import Asked, judged
from twinloop.dialogue.knowledge.index import Index
from twinloop.dialogue.persona.memory import Memory
from twinloop.dialogue.persona.style import LEAST_MESSAGES, Style, style_of
from twinloop.errors import InputError
from twinloop.files import read_json, sha256, write_json
from twinloop.learning.latency import hardware, measure_in_turn, speedups
from twinloop.learning.parity import lost, require_deployable
from twinloop.learning.weights import Places
from twinloop.numbers import count, counted
from twinloop.twins.person import paths
from twinloop.twins.person.chain import MANIFEST, REMEDY, Described, hub_cache, index_digest, open_encoder, save_self
from twinloop.twins.person.config import PUBLISHED, TRAINED, ExportSettings, PersonConfig, ProvidersSettings
from twinloop.twins.person.data.known import Known, shape_of, tuned_index
from twinloop.twins.person.files import ANSWERS, ENCODER, HEARD, SPEAKERS
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop person export"
FLOAT32, INT8 = "float32", "int8"
FIGURES = ("ndcg", "hit")


@dataclass(frozen=True, eq=False)
class _Candidate:
    """The chain's index with one precision of the encoder, and what it is worth on validation questions."""

    providers: ProvidersSettings
    index: Index
    quality: Mapping[str, float]


def run(stage: Stage[PersonConfig]) -> str:
    """Write the self, latency.json and the stage's metrics; returns the summary line."""
    person, learnt = stage.config.person, stage.root / paths.LEARNT
    known = Known.load(stage.root / paths.DATASET, person.data.documents)
    answers = _answers(learnt / ANSWERS)
    shape = shape_of(learnt / ENCODER) if person.providers.encoder.name == TRAINED else None
    asked = tuple(one for one in known.asked("val") if one.evidence)
    settings, source = tuned_index(stage.root / paths.TUNED, person.index)
    candidates = {}
    for precision, providers in _precisions(person.providers).items():
        index = known.index(open_encoder(providers, learnt / ENCODER, shape), settings)
        candidates[precision] = _Candidate(providers, index, _quality(index, answers, asked))
    chosen, broken = _chosen(candidates, person.providers, person.export)
    deployed = candidates[chosen]
    style, memory = _style(known), _memory(known)
    described = Described(
        name=str(known.corpus.profile.get("name", "")),
        profile=dict(known.corpus.profile),
        index=settings,
        answers=answers,
        persona=person.persona,
        conversation=person.conversation,
        providers=deployed.providers,
        shape=shape,
        style=style,
        heard=_answers(learnt / HEARD),
    )
    encoder = learnt / ENCODER if shape is not None else None
    with tempfile.TemporaryDirectory() as scratch:
        speakers = _speakers(person.providers, learnt, Path(scratch))
        target = stage.root / paths.SELF
        save_self(target, described, deployed.index, encoder=encoder, memory=memory, speakers=speakers)
    times = _times(candidates, asked, person.export)
    write_json(stage.root / paths.LATENCY, times)
    metrics: dict[str, Any] = {
        "format": chosen,
        "values": source,
        "documents": len(deployed.index.entries),
        "chunks": len(deployed.index),
        "told": len(memory),
        "style": style is not None,
        "speakers": speakers is not None,
        "int8": broken,
        **{f"{name}_{figure}": value for name, one in candidates.items() for figure, value in one.quality.items()},
        **{f"most_{figure}_lost": most for figure, most in _most_lost(person.export).items()},
        "unreadable": len(known.read.left_out),
        "self_sha256": sha256(stage.root / paths.SELF / MANIFEST),
        "index_sha256": index_digest(stage.root / paths.SELF),
    }
    write_json(stage.root / paths.metrics("export"), metrics)
    unreadable = f"; {counted(metrics['unreadable'], 'document')} cannot be read" if metrics["unreadable"] else ""
    fast = f", {times[INT8]['speedup']:.2f} times as fast in 8 bits" if INT8 in times else ""
    return (
        f"{counted(metrics['documents'], 'document')} in {count(metrics['chunks'])} chunks; encoder "
        f"{person.providers.encoder.name} in {chosen}{f' ({broken})' if broken else ''}{fast}{unreadable}"
    )


def _answers(path: Path) -> AnswerSettings:
    if not path.is_file():
        raise InputError(f"export: {path}: expected calibrated answers, found none: run the train stage first")
    return parse(AnswerSettings, read_json(path))


def _precisions(providers: ProvidersSettings) -> dict[str, ProvidersSettings]:
    """The configured encoder in every precision that it can run in."""
    encoder = providers.encoder
    if encoder.name not in (TRAINED, "minilm"):
        return {FLOAT32: providers}
    return {
        precision: dataclasses.replace(
            providers,
            encoder=dataclasses.replace(encoder, settings={**encoder.settings, "precision": precision}),
        )
        for precision in (FLOAT32, INT8)
    }


def _speakers(providers: ProvidersSettings, learnt: Path, scratch: Path) -> Path | None:
    """The graph that tells voices apart, None for nobody. Raises RunError for published weights that are not there."""
    if providers.speakers == PUBLISHED:
        # torch, for once.
        from twinloop.dialogue.speech.speakers.export import export_speaker_encoder

        export_speaker_encoder(Places(hub_cache=hub_cache(), remedy=REMEDY), scratch / SPEAKERS)
        return scratch / SPEAKERS
    own = learnt / SPEAKERS
    return own if providers.speakers == TRAINED and own.is_file() else None


def _quality(index: Index, answers: AnswerSettings, asked: tuple[Asked, ...]) -> dict[str, float]:
    if not asked:
        return {}
    frame = judged(index, ExtractiveAnswers(index, answers).answer, asked)
    return {figure: float(frame[figure].mean()) for figure in FIGURES}  # type: ignore[arg-type]


def _chosen(
    candidates: Mapping[str, _Candidate], providers: ProvidersSettings, settings: ExportSettings
) -> tuple[str, str]:
    """The precision that is served, and what 8 bits break. Raises RunError where they were asked for by name."""
    if INT8 not in candidates:
        return FLOAT32, ""
    most = _most_lost(settings)
    reference = candidates[FLOAT32].quality
    broken = lost(reference, candidates[INT8].quality, most=most) if reference else ("no question to judge it by",)
    wanted = providers.encoder.settings.get("precision")
    if wanted == INT8:
        require_deployable({INT8: broken}, INT8)
    return wanted or (FLOAT32 if broken else INT8), ", ".join(broken)


def _most_lost(settings: ExportSettings) -> dict[str, float]:
    return {"ndcg": settings.most_ndcg_lost, "hit": settings.most_hits_lost}


def _times(candidates: Mapping[str, _Candidate], asked: tuple[Asked, ...], settings: ExportSettings) -> dict[str, Any]:
    """How long it takes to find what answers a question, by precision; questions in turn, so that none is known yet."""
    texts = [one.text for one in asked] or ["Where is it written?"]

    def finding(index: Index) -> Any:
        turns = iter(range(settings.latency_runs + settings.latency_warmup))
        return lambda: index.search(f"{texts[(turn := next(turns)) % len(texts)]} {turn}")

    times = measure_in_turn(
        {name: finding(one.index) for name, one in candidates.items()},
        runs=settings.latency_runs,
        warmup=settings.latency_warmup,
        threads=1,
    )
    gains = speedups(times, reference=FLOAT32)
    return {name: one.record() | {"speedup": gains[name]} for name, one in times.items()} | {"hardware": hardware()}


def _style(known: Known) -> Style | None:
    """Of the person's own messages; None for fewer than a style takes."""
    name = str(known.corpus.profile.get("name", ""))
    messages = known.corpus.messages
    own = messages.filter(sender=name)["text"].to_list() if name else []
    others = [text for sender, text in messages.select("sender", "text").iter_rows() if sender != name]
    return style_of(own, others=others, name=name) if len(own) >= LEAST_MESSAGES else None


def _memory(known: Known) -> Memory:
    memory = Memory()
    for conversation, time, sender, text in known.corpus.messages.iter_rows():
        memory.add(text, who=sender, time=time, conversation=conversation)
    return memory
