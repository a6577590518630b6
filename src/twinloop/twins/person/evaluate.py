"""Judge the whole chain on questions and voices that nothing learnt from: heard, found, answered, refused, spoken.

Measured time goes to the service profile alone. `conversed` holds the conversations, `batches` works on several turns
at once, `heard` judges recognisers, `ways` and `judged` finding and answering, `manner` the persona.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from twinloop.dialogue.answering.answer import Answer
from twinloop.dialogue.evaluation.answers import faithfulness
from twinloop.dialogue.evaluation.groups import grouped_mean
from twinloop.dialogue.evaluation.questions import Asked
from twinloop.dialogue.providers.protocols import Audio
from twinloop.dialogue.speech.audio import write_audio
from twinloop.files import replacing, write_json
from twinloop.numbers import MISSING, Interval, number
from twinloop.progress import say
from twinloop.twins.person import paths
from twinloop.twins.person.chain import Chain, described_in, index_digest, open_self
from twinloop.twins.person.config import PUBLISHED, TRAINED, PersonConfig, ProviderSettings, ProvidersSettings
from twinloop.twins.person.data.known import Known
from twinloop.twins.person.data.voices import installed
from twinloop.twins.person.evaluation.batches import batches
from twinloop.twins.person.evaluation.conversed import Conversed, converse, measured, questions_to_put, told
from twinloop.twins.person.evaluation.heard import (
    ALL,
    FLOOR,
    HEARD,
    WER,
    compared,
    error_rates,
    judged_recordings,
    texts_heard,
)
from twinloop.twins.person.evaluation.judged import LEAKY, TYPED, refusals, refused
from twinloop.twins.person.evaluation.manner import manner
from twinloop.twins.person.evaluation.speakers import (
    diarised,
    error_of,
    rate_of,
    speaker_encoders,
    verified,
)
from twinloop.twins.person.evaluation.ways import all_ways
from twinloop.twins.person.files import COMMANDS, SPEAKERS
from twinloop.twins.person.learning.commands import accuracy, understood
from twinloop.twins.person.learning.speakers import recordings_by_speaker
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop person evaluate"
PROGRAMS = ("flite", "espeak")
# Questions with their replies to listen to, and seconds of a meeting.
LISTENED, MINUTE_S = 3, 60
FIGURES = ("ndcg", "recall", "hit", "f1")


def run(stage: Stage[PersonConfig]) -> str:
    """Write judgements, transcript, recordings, the service profile and metrics; returns the summary line."""
    person, seed, folder = stage.config.person, stage.config.seed, stage.root / paths.SELF
    settings = person.evaluate
    drawn: dict[str, Any] = {"draws": settings.draws, "confidence": settings.confidence, "seed": seed}
    known = Known.load(stage.root / paths.DATASET, person.data.documents)
    chain = open_self(folder, _speaking(described_in(folder).providers))
    recordings = judged_recordings(known)
    audio = {name: known.audio(name) for name in recordings["recording"]}
    questions = questions_to_put(chain, known, recordings, audio)
    conversed = converse(chain, questions, settings.turns, seed=seed)
    together = batches(chain, questions, settings.turns)
    profile = measured(conversed, chain, index_digest(folder), batches=together, draws=settings.draws, seed=seed)
    texts = texts_heard(chain, recordings, audio, conversed, floor=settings.floor)
    heard = compared(recordings, audio, texts) if texts else pl.DataFrame(schema=HEARD)
    rates = error_rates(heard, **drawn) if len(heard) else pl.DataFrame(schema=WER)
    own = chain.described.providers.speech_to_text.name
    by_question: dict[str, list[str]] = {}
    for recording, question in recordings.select("recording", "question").iter_rows():
        if question is not None and own in texts:
            by_question.setdefault(question, []).append(texts[own][recording])
    ways = all_ways(chain, known, stage.root / paths.LEARNT, by_question, most=settings.most)
    answered = [(one, _answer(chain, one)) for one in ways.asked]
    given = [(one, answer) for one, answer in answered if not answer.refused]
    documents = {document.digest: document for document in known.read.all}
    shown = manner(chain, given, settings, seed=seed)
    voices = installed(person.data.speaking.programs)
    commands = understood(stage.root / paths.LEARNT / COMMANDS, voices, workers=stage.workers)
    encoders = speaker_encoders(stage.root / paths.LEARNT / SPEAKERS)
    many = {"most": settings.voices, "each": settings.recordings, "workers": stage.workers}
    of_speakers = recordings_by_speaker(known, voices, "test", **many) if encoders else []
    told_apart, meetings = verified(encoders, of_speakers, **drawn), diarised(encoders, known)
    table = ways.compared(**drawn)
    tables = {
        "judged": ways.table(),
        "ways": table,
        "heard": heard,
        "wer": rates,
        "refusals": refusals(ways.typed, chain.described.answers.refusal.threshold),
        "commands": commands,
        "speakers": told_apart,
        "meetings": meetings,
        "sliders": shown.sliders,
        "manners": shown.manners,
        "transcript": told(conversed),
    }
    with replacing(stage.root / paths.EVALUATION) as out:
        for name, frame in tables.items():
            frame.write_parquet(out / f"{name}.parquet")
        _listen(known, conversed, out / "audio")
    profile.save(stage.root / paths.PROFILE)
    figures: dict[str, Interval | None] = {
        "wer": _rate(rates, own),
        "wer_floor": _rate(rates, FLOOR),
        **{name: _figure(table, TYPED, name) for name in FIGURES},
        "faithfulness": _faithful(given, documents, drawn),
        **{f"hit_{way}": _figure(table, way, "hit") for way in ("spoken", "recognised", "paraphrased")},
        **{f"{name}_own": _figure(table, "own encoder", name) for name in ("ndcg", "hit")},
        **{f"{LEAKY}_{name}": _figure(table, LEAKY, name) for name in ("ndcg", "hit")},
        **dict.fromkeys(("refusal_recall", "refusal_false", "persona_rank", "persona_hit_loss")),
        **refused(ways.typed, **drawn),
        **shown.figures,
        "command_accuracy": accuracy(commands, **drawn),
        "speaker_eer": rate_of(told_apart, TRAINED),
        "speaker_eer_published": rate_of(told_apart, PUBLISHED),
    }
    metrics: dict[str, Any] = {"questions": len(ways.asked), "turns": sum(map(len, conversed.turns.values()))}
    for name, interval in figures.items():
        metrics[name] = None if interval is None else interval.mean
        metrics |= {
            f"{name}_{end}": None if interval is None else getattr(interval, attribute)
            for end, attribute in (("half", "half_width"), ("low", "low"), ("high", "high"))
        }
    metrics |= {"diarisation_error": error_of(meetings, person.providers.speakers)}
    metrics["failed_turns"] = sum(bool(turn.failed) for _, turn in conversed.all)
    write_json(stage.root / paths.metrics("evaluate"), metrics)
    return _summary(metrics)


def _speaking(providers: ProvidersSettings) -> ProvidersSettings:
    """The providers, without a voice where its synthesiser is not on this machine: the chain goes on in text."""
    voice = providers.text_to_speech.name
    if voice not in PROGRAMS or not installed([voice]).missing:
        return providers
    say(f"evaluate: {voice} is not installed: replies are not spoken")
    return dataclasses.replace(providers, text_to_speech=ProviderSettings())


def _answer(chain: Chain, one: Asked) -> Answer:
    return chain.answers.answer(one.text, chain.index.search(one.text, chain.answers.passages))


def _faithful(given: Any, documents: Any, drawn: Mapping[str, Any]) -> Interval | None:
    """Of answers that say something; intervals over what is independent."""
    if not given:
        return None
    values = [faithfulness([answer], documents) for _, answer in given]
    return grouped_mean(values, [one.group for one, _ in given], **drawn)


def _listen(known: Known, conversed: Conversed, folder: Path) -> None:
    """Some questions with their replies, and the beginning of a meeting, as files to listen to."""
    folder.mkdir()
    spoken = [(put, turn) for put, turn in conversed.all if put.audio is not None and turn.audio is not None]
    for place, (put, turn) in enumerate(spoken[:LISTENED], 1):
        for name, sound in (("question", put.audio), ("reply", turn.audio)):
            if sound is not None:
                write_audio(folder / f"{name}-{place}.wav", sound)
    for recording in known.spoken.filter(pl.col("meeting").is_not_null())["recording"][:1]:
        sound = known.audio(recording)
        write_audio(folder / "meeting-1.wav", Audio(sound.samples[: MINUTE_S * sound.rate], sound.rate))


def _rate(rates: pl.DataFrame, provider: str) -> Interval | None:
    own = rates.filter(provider=provider, voice=ALL)
    return Interval(*own.select("wer", "low", "high").row(0)) if len(own) else None


def _figure(table: pl.DataFrame, way: str, figure: str) -> Interval | None:
    own = table.filter(way=way, figure=figure)
    return Interval(*own.select("mean", "low", "high").row(0)) if len(own) else None


def _summary(metrics: Mapping[str, Any]) -> str:
    """Key figures with half of their intervals."""

    def told_of(name: str) -> str:
        value, half = metrics[name], metrics[f"{name}_half"]
        return MISSING if value is None else f"{value:.3f} ± {number(half, digits=2)}"

    return (
        f"WER {told_of('wer')}; nDCG {told_of('ndcg')}, answer hit {told_of('hit')} typed, "
        f"{told_of('hit_recognised')} recognised; own encoder {told_of('hit_own')}, on a leaky split "
        f"{told_of('leaky_hit')}; refused {told_of('refusal_recall')} of what has no answer, "
        f"{told_of('refusal_false')} of what has one; persona rank {told_of('persona_rank')}"
    )
