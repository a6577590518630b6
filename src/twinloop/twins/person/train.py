"""Learn an encoder of the person's own texts, which sentence answers, commands and who speaks; calibrate refusal.

The encoder is learnt whichever one finds: evaluate compares them. A second one learns from a split that keeps neither
documents nor templates together, so that what a leak would promise can be printed beside what holds.
"""

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import polars as pl

from twinloop.dialogue.datasets import stored
from twinloop.dialogue.speech.commands.training import Command, train_commands, varied
from twinloop.dialogue.speech.speakers.training import train_speakers
from twinloop.files import fingerprint, replacing, write_json
from twinloop.learning.fit import STATE_FORMAT, Fitted
from twinloop.numbers import count, counted
from twinloop.twins.person import paths
from twinloop.twins.person.chain import open_encoder, opened
from twinloop.twins.person.config import PersonConfig
from twinloop.twins.person.data.known import Known, shape_of, tuned_index
from twinloop.twins.person.data.voices import installed
from twinloop.twins.person.files import ANSWERS, COMMANDS, ENCODER, HEARD, HISTORY, LEAKY_ENCODER, SPEAKERS
from twinloop.twins.person.learning.commands import spoken_commands
from twinloop.twins.person.learning.encoder import learn
from twinloop.twins.person.learning.refusal import calibrated, weighed
from twinloop.twins.person.learning.selector import learn_selector
from twinloop.twins.person.learning.speakers import recordings_by_speaker
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop person train"
COURSE: dict[str, Any] = {"epoch": pl.Int64, "loss": pl.Float64, "reciprocal_rank": pl.Float64}


def run(stage: Stage[PersonConfig]) -> str:
    """Write encoders, commands, calibrated answers and the course of the fit; returns the summary line."""
    person, seed = stage.config.person, stage.config.seed
    known = Known.load(stage.root / paths.DATASET, person.data.documents)
    index, source = tuned_index(stage.root / paths.TUNED, person.index)
    matters = {
        "format": STATE_FORMAT,
        "settings": dataclasses.asdict(person.train.encoder),
        "index": dataclasses.asdict(index),
        "seed": seed,
        "data": stored.digest(stage.root / paths.DATASET),
    }
    state = stage.state / f"person-train-{fingerprint(matters)[:16]}"
    given: dict[str, Any] = {"index": index, "seed": seed}
    with replacing(stage.root / paths.LEARNT) as folder:
        honest, leaky = ((asked("train"), asked("val")) for asked in (known.asked, known.asked_leaky))
        trained = learn(
            known,
            honest,
            folder / ENCODER,
            person.train.encoder,
            state=state / ENCODER,
            on_epoch=lambda epoch, figures: stage.tracker.log(figures, step=epoch),
            **given,
        )
        learn(
            known, leaky, folder / LEAKY_ENCODER, person.train.encoder, state=state / LEAKY_ENCODER, show=None, **given
        )
        _history(trained.fitted).write_parquet(folder / HISTORY)
        voices, speakers = _commands(stage, folder / COMMANDS), _speakers(stage, known, folder / SPEAKERS)
        encoder = open_encoder(person.providers, folder / ENCODER, shape_of(folder / ENCODER))
        found, heard, share = known.index(encoder, index), _heard(stage, known), person.train.false_refusals
        learnt_from, held = (known.worded(known.asked(split)) for split in ("train", "val"))
        chosen = learn_selector(found, person.answers, learnt_from, held, person.train.selector, seed=seed)
        typed = [one.text for one in held if one.evidence]
        answers = calibrated(found, weighed(found, chosen.answers, learnt_from), typed, refused=share)
        # Where nothing was heard, what is heard is taken as if it were typed.
        to_heard = calibrated(found, answers, [found.spelt(text) for text in heard], refused=share)
        write_json(folder / ANSWERS, dataclasses.asdict(answers))
        write_json(folder / HEARD, dataclasses.asdict(to_heard))
    shutil.rmtree(state, ignore_errors=True)
    metrics: dict[str, Any] = {
        "val_reciprocal_rank": trained.fitted.best["reciprocal_rank"],
        "epochs": len(trained.fitted.history),
        "best_epoch": trained.fitted.best_epoch + 1,
        "parameters": trained.parameters,
        "vocabulary": trained.vocabulary,
        "train_questions": len(known.asked("train")),
        "commands": len(person.train.commands) if voices else 0,
        "command_voices": voices,
        "speakers": speakers,
        "heard_questions": len(heard),
        **chosen.figures,
        "false_refusals": person.train.false_refusals,
        "threshold": answers.refusal.threshold,
        "threshold_heard": to_heard.refusal.threshold,
        "values": source,
    }
    write_json(stage.root / paths.metrics("train"), metrics)
    spoken = f"{counted(metrics['commands'], 'command')} from {counted(voices, 'voice')}" if voices else "no commands"
    spoken += f", voices told apart from {counted(speakers, 'speaker')}" if speakers else ", no voices told apart"
    return (
        f"epoch {metrics['best_epoch']}/{metrics['epochs']} kept, val reciprocal rank "
        f"{metrics['val_reciprocal_rank']:.3f}, {count(trained.parameters)} parameters; {chosen}; {spoken}; "
        f"refused below {answers.refusal.threshold:.2f}, heard below {to_heard.refusal.threshold:.2f}"
    )


def _heard(stage: Stage[PersonConfig], known: Known) -> list[str]:
    """What the chain's ears make of validation questions, in voices that nothing is judged on."""
    person, voices = stage.config.person, installed(stage.config.person.data.speaking.programs)
    ears, names = opened(person.providers, "speech_to_text"), voices.names("train")
    if ears is None or not names:
        return []
    texts = [one.text for one in known.asked("val") if one.evidence][: person.data.speaking.questions]
    spoken = [voices.speak(text, names[place % len(names)]).audio for place, text in enumerate(texts)]
    return [text for audio in spoken if (text := ears.transcribe(audio).text.strip())]


def _history(fitted: Fitted) -> pl.DataFrame:
    rows = [{"epoch": place + 1, **figures} for place, figures in enumerate(fitted.history)]
    return pl.DataFrame(rows, schema=COURSE)


def _commands(stage: Stage[PersonConfig], path: Path) -> int:
    """Learn the commands and write them; from how many voices, 0 where none can be spoken."""
    person, seed = stage.config.person, stage.config.seed
    settings, voices = person.train, installed(person.data.speaking.programs)
    if not (voices.names("train") and settings.commands):
        return 0
    spoken = spoken_commands(settings.commands, voices, "train", most=settings.voices, workers=stage.workers)
    commands = [Command(*one) for one in spoken]
    variants = varied(commands, settings.recogniser.augmentation, seed=seed)
    train_commands(variants, settings.recogniser, seed=seed).save(path)
    return len({one.voice for one in spoken})


def _speakers(stage: Stage[PersonConfig], known: Known, path: Path) -> int:
    """Learn to tell speakers apart and write that; from how many, 0 where there are fewer than two."""
    person, settings = stage.config.person, stage.config.person.train
    given = {"most": settings.voices, "each": settings.recordings, "workers": stage.workers}
    recordings = recordings_by_speaker(known, installed(person.data.speaking.programs), "train", **given)
    if len({one.speaker for one in recordings}) < 2:
        return 0
    trained = train_speakers(recordings, settings.speakers, seed=stage.config.seed)
    trained.save(path)
    return trained.speakers
