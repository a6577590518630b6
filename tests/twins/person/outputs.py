"""Outputs of a person's loop, made by hand and small: every table with the columns that its stage writes."""

import dataclasses
import io
import wave
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from tests.twins.person.small_loop import config
from twinloop.dialogue.conversation.transcript import SCHEMA
from twinloop.dialogue.datasets.corpus import DOCUMENTS, QUESTIONS, rows
from twinloop.dialogue.evaluation.questions import JUDGED
from twinloop.dialogue.evaluation.side_by_side import COMPARED
from twinloop.files import write_json
from twinloop.learning.trials import chosen_record, study_metrics, trials_frame
from twinloop.twins.person import paths
from twinloop.twins.person.appointments import TABLE
from twinloop.twins.person.evaluation.heard import HEARD
from twinloop.twins.person.evaluation.speakers import DIARISED, VERIFIED
from twinloop.twins.person.learning.objectives import OBJECTIVES

HOSTILE = "<script>alert(1)</script>"
STYLE = {
    "greeting": "Hello",
    "greeted": 0.9,
    "sign_off": "Cheers",
    "signed": 0.9,
    "words": 20.0,
    "sentences": 2.0,
    "exclaimed": 0.1,
    "emoji": [],
    "emoji_share": 0.0,
    "favourites": ["lovely"],
    "favourite_share": 0.5,
    "lower": False,
}
SPOKEN = {
    "recording": pl.String,
    "question": pl.String,
    "meeting": pl.String,
    "program": pl.String,
    "voice": pl.String,
    "seconds": pl.Float64,
}


def sound(seconds: float = 0.2, rate: int = 16_000) -> bytes:
    """Silence as WAV."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(bytes(2 * round(seconds * rate)))
    return content.getvalue()


def write_outputs(root: Path, *, speech: bool = True) -> Path:
    """All that the stages up to schedule leave, but for the simulation's tables; speech: whether it could be spoken."""
    for write in (_dataset, _self, _evaluation, _metrics, _rest):
        write(root, speech)
    return root


def _parquet(root: Path, place: Path, frame: pl.DataFrame) -> None:
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(root / place)


def _dataset(root: Path, speech: bool) -> None:
    folder = paths.DATASET
    documents = [
        ("a.pdf", "a", "train"),
        ("b.md", "b", "val"),
        (f"{HOSTILE}.txt", "c", "test"),
        ("d.html", "d", "test"),
    ]
    _parquet(root, folder / "documents.parquet", rows(DOCUMENTS, documents))
    questions = [
        ("q1", "When does it end?", "What is its end?", "3 March", "t1", "test", ""),
        ("q2", f"Who signed {HOSTILE}?", "Whose is it?", "Ada", "t2", "test", ""),
        ("q3", "What did it cost?", "Its price?", "", "t3", "test", "nothing says so"),
        ("q4", "Where is it?", "Its place?", "Ulm", "t4", "train", ""),
    ]
    _parquet(root, folder / "questions.parquet", rows(QUESTIONS, questions))
    spoken = [
        ("q1.wav", "q1", None, "flite", "slt", 2.0),
        ("q2.wav", "q2", None, "espeak", "en-gb", 3.0),
        ("m1.wav", None, "m1", "flite", None, 90.0),
    ]
    _parquet(root, folder / "spoken.parquet", rows(SPOKEN, spoken if speech else []))
    about = {
        "layout": "person",
        "notes": [f"as {HOSTILE} says"],
        "missing": [] if speech else ["flite", "espeak"],
        "leaks": 0,
        "counts": {"documents": 4, "questions": 4, "messages": 12},
        "left_out": {"empty file": 1},
        "sha256": "ab" * 32,
    }
    write_json(root / folder / "prepared.json", about)


def _self(root: Path, speech: bool) -> None:
    person = dataclasses.asdict(config().person)
    write_json(
        root / paths.SELF / "self.json",
        {
            "name": "Ada Lovelace",
            "profile": {"name": "Ada Lovelace", "job": HOSTILE},
            **{name: person[name] for name in ("index", "answers", "persona", "conversation", "providers")},
            "shape": None,
            "style": STYLE,
        },
    )
    history = pl.DataFrame({"epoch": [1, 2], "loss": [2.0, 1.0], "reciprocal_rank": [0.5, 0.6]})
    _parquet(root, paths.LEARNT / "history.parquet", history)
    times = {
        name: {"p50_ms": ms, "p95_ms": 1.2 * ms, "p99_ms": 2 * ms, "runs": 10, "speedup": 4.0 / ms}
        for name, ms in (("float32", 4.0), ("int8", 2.0))
    }
    write_json(root / paths.LATENCY, times | {"hardware": {"cpu": "a processor", "cores": 2}})


def judged(way: str, ndcg: tuple[float, float], hit: tuple[float, float]) -> list[tuple[Any, ...]]:
    """Two questions with an answer and one without."""
    return [
        (way, "q1", "a", True, ndcg[0], 1.0, 1.0, hit[0], hit[0], False, 1.0),
        (way, "q2", "c", True, ndcg[1], 0.5, 0.25, hit[1], hit[1], hit[1] == 0, 0.5),
        (way, "q3", "q3", False, None, None, None, None, None, True, -1.0),
    ]


def _evaluation(root: Path, speech: bool) -> None:
    folder = paths.EVALUATION
    ways = {
        "typed": (0.8, None),
        "spoken": (0.7, (-0.1, -0.2, 0.0)),
        "recognised": (0.5, (-0.3, -0.4, -0.1)),
        "by words": (0.6, (-0.2, -0.3, -0.1)),
        "own encoder": (0.75, (-0.05, -0.1, 0.1)),
        "other persona": (0.8, (0.0, 0.0, 0.0)),
        "paraphrased": (0.6, (-0.2, -0.3, -0.05)),
        "leaky": (0.95, (0.15, 0.05, 0.2)),
    }
    shown = {way: found for way, found in ways.items() if speech or way not in ("spoken", "recognised")}
    frame = [row for way in shown if way != "leaky" for row in judged(way, (1.0, 0.4), (1.0, 0.0))]
    _parquet(root, folder / "judged.parquet", rows({"way": pl.String, **JUDGED}, frame))
    compared = [
        (way, figure, mean, mean - 0.1, min(mean + 0.1, 1.0), *(apart or (None, None, None)))
        for way, (mean, apart) in shown.items()
        for figure in ("ndcg", "recall", "hit", "f1")
    ]
    _parquet(root, folder / "ways.parquet", rows(COMPARED, compared))
    refusals = [(-1.0, 0.0, 0.0, False), (0.0, 0.7, 0.1, True), (1.0, 0.9, 0.4, False)]
    schema = {"threshold": pl.Float64, "recall": pl.Float64, "false": pl.Float64, "shipped": pl.Boolean}
    _parquet(root, folder / "refusals.parquet", rows(schema, refusals))
    names = ("formality", "enthusiasm", "verbosity", "humour")
    ranks = [(name, 0.9 - 0.1 * place, 0.8 - 0.1 * place, 0.95) for place, name in enumerate(names)]
    schema = {"slider": pl.String, "rank": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    _parquet(root, folder / "sliders.parquet", rows(schema, ranks))
    manners = [(name, value, f"Yeah, it is “here.” [1] {HOSTILE}") for name in names for value in (0.0, 0.5, 1.0)]
    schema = {"slider": pl.String, "value": pl.Float64, "text": pl.String}
    _parquet(root, folder / "manners.parquet", rows(schema, manners))
    turns = [
        ("one", 1, speech, "and in may", "What did it cost in May?", f"It is 3. {HOSTILE}", False, ["a.pdf, page 1"]),
        ("one", 2, False, "why", "why", "I do not know.", True, []),
    ]
    kept = {name: kind for name, kind in SCHEMA.items() if not name.endswith("_s") or name == "audio_s"}
    made = rows(kept, ((*turn, False, "", 6, 1.5, 0.0) for turn in turns))
    _parquet(root, folder / "transcript.parquet", made)
    _speech(root, folder, speech)


def _speech(root: Path, folder: Path, speech: bool) -> None:
    heard = [
        (f"{question}.wav", question, "flite", voice, provider, "when does it end", said, 4, wrong, 2.0)
        for provider in ("whisper", "pocketsphinx")
        for question, voice, said, wrong in (("q1", "slt", "when does it end", 0), ("q2", HOSTILE, HOSTILE, 3))
    ]
    _parquet(root, folder / "heard.parquet", rows(HEARD, heard if speech else []))
    wer = [
        (provider, voice, rate, rate / 2, min(2 * rate, 1.0), 8)
        for provider, rate in (("pocketsphinx", 0.4), ("whisper", 0.1))
        for voice in ("slt", HOSTILE, "all")
    ]
    schema = {"provider": pl.String, "voice": pl.String, "wer": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    _parquet(root, folder / "wer.parquet", rows({**schema, "words": pl.Int64}, wer if speech else []))
    said = [("v1", "yes", "yes", 0.9), ("v1", "no", "yes", 0.4), (HOSTILE, "no", "no", 0.8)]
    schema = {"voice": pl.String, "word": pl.String, "said": pl.String, "probability": pl.Float64}
    _parquet(root, folder / "commands.parquet", rows(schema, said if speech else []))
    told = [("trained", 0.2, 0.1, 0.3, 8, 64), ("resemblyzer", 0.1, 0.05, 0.2, 8, 64)]
    _parquet(root, folder / "speakers.parquet", rows(VERIFIED, told if speech else []))
    met = [("trained", "m1", 4, 0.25), ("trained", "m2", 4, 0.15), ("resemblyzer", "m1", 4, 0.1)]
    _parquet(root, folder / "meetings.parquet", rows(DIARISED, met if speech else []))
    (root / folder / "audio").mkdir()
    for name in ("question-1", "reply-1", "meeting-1") if speech else ():
        (root / folder / "audio" / f"{name}.wav").write_bytes(sound())


def _metrics(root: Path, speech: bool) -> None:
    measured = {
        "prepare": {"data": "person", "documents": 4, "questions": 4, "dataset_sha256": "ab" * 32},
        "tune": study_metrics(None, objectives=OBJECTIVES),
        "train": {
            **{"false_refusals": 0.1, "train_questions": 1, "best_epoch": 1},
            **{"selector": "learnt", "selector_hit_learnt": 0.8, "selector_hit_by_hand": 0.7},
            **{"selector_gain": 0.1, "selector_gain_low": 0.0, "selector_gain_high": 0.2},
        },
        "export": {
            "format": "int8",
            "float32_ndcg": 0.8,
            "int8_ndcg": 0.795,
            "float32_hit": 0.7,
            "int8_hit": 0.65,
            "most_ndcg_lost": 0.01,
            "most_hit_lost": 0.01,
            "self_sha256": "cd" * 32,
        },
        "evaluate": {
            "wer": 0.1 if speech else None,
            "wer_half": 0.05 if speech else None,
            "hit_spoken": 0.7 if speech else None,
            "hit_recognised": 0.5 if speech else None,
            "command_accuracy": 0.67 if speech else None,
            "speaker_eer": 0.2 if speech else None,
            **dict.fromkeys(("ndcg", "recall", "hit", "f1", "faithfulness", "persona_rank"), 0.8),
            **{f"{name}_half": 0.1 for name in ("ndcg", "recall", "hit", "f1", "persona_rank")},
            **{"refusal_recall": 0.7, "refusal_false": 0.1, "persona_hit_loss": 0.0, "leaky_hit": 0.95},
        },
        "simulate": {
            **{"users": 38, "users_low": 34, "users_high": 41, "turn_p95_s": 1.4, "cost_per_user_hour": 0.002},
            **{"workers_for_people": 27, "bottleneck": "hear", "cores": 2},
        },
        "schedule": {
            **{"meetings": 2, "attended": 1, "missed": 3, "missed_meetings": 1, "preparation_min": 40.0},
            **{"copies": 1, "zone": "Europe/Berlin"},
        },
    }
    for stage, found in measured.items():
        write_json(root / paths.metrics(stage), found)


def _rest(root: Path, speech: bool) -> None:
    sentence = "38 people can talk to it at once on this machine (34 … 41); the next seat is in the recogniser."
    write_json(root / paths.ANSWER, {"sentence": sentence, "users": 38})
    write_json(root / paths.TUNED, chosen_record(None))
    _parquet(root, paths.TRIALS, trials_frame(None, config().person.tune.space, objectives=OBJECTIVES))
    at = datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(2026, 12, 1, 9, tzinfo=UTC)
    meetings = [
        (HOSTILE, 5, True, 1, *at, None, None, None, None),
        ("review", 3, False, None, *at, None, None, None, f"{HOSTILE} is worth more"),
    ]
    _parquet(root, paths.SCHEDULE / "attendance.parquet", rows(TABLE, meetings))
    schema = dict.fromkeys(("copies", "attended", "missed", "missed_meetings"), pl.Int64)
    _parquet(root, paths.SCHEDULE / "copies.parquet", rows(schema, [(1, 1, 3, 1), (2, 2, 0, 0)]))
