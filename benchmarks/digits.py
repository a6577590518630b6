"""Spoken digits: how well a small network, trained here in minutes, hears one of ten words.

Free Spoken Digit Dataset in speech/fsdd. digits_official: its own split, recordings 0 to 4 of each speaker and digit
judged by what 5 to 49 taught. digits_leave_one_speaker_out: mean over the six speakers, each judged by what the
other five taught (digits_without_…). Settings are the defaults of `CommandSettings`; the last epoch's weights are
judged.

`python -m benchmarks.digits --data DIR` prints the mean accuracy at a validation speaker, the next one by name, of
recognisers that saw neither that one nor the speaker that is left out: settings are to be chosen by it.
"""

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np

from twinloop.dialogue.datasets.layouts import read
from twinloop.dialogue.datasets.settings import CorpusSettings
from twinloop.dialogue.speech.audio import read_audio
from twinloop.dialogue.speech.commands.evaluation import accuracy, leave_one_speaker_out
from twinloop.dialogue.speech.commands.features import RATE
from twinloop.dialogue.speech.commands.settings import AugmentationSettings, CommandSettings
from twinloop.dialogue.speech.commands.training import Command, train_commands, varied
from twinloop.errors import InputError

SEED = 20261130


def measured(data: Path | None, work: Path, reasons: dict[str, str]) -> dict[str, float | None]:
    """Accuracy by the official split and by speaker."""
    commands, tested = spoken_digits(data)
    settings = CommandSettings()
    variants = varied(commands, settings.augmentation, seed=SEED)
    trained = train_commands(variants.where([not test for test in tested]), settings, seed=SEED)
    official = accuracy(trained, [command for command, test in zip(commands, tested, strict=True) if test])
    by_speaker = leave_one_speaker_out(commands, variants, settings, seed=SEED)
    return {
        "digits_official": round(official, 4),
        "digits_leave_one_speaker_out": round(float(np.mean(list(by_speaker.values()))), 4),
        **{f"digits_without_{speaker}": round(value, 4) for speaker, value in by_speaker.items()},
    }


def validation(data: Path, settings: CommandSettings) -> dict[str, float]:
    """Accuracy at validation speakers of recognisers that saw neither them nor the speaker who is left out."""
    commands, _ = spoken_digits(data)
    speakers = sorted({command.speaker for command in commands})
    variants = varied(commands, settings.augmentation, seed=SEED)
    accuracies = {}
    for place, left_out in enumerate(speakers):
        judge = speakers[(place + 1) % len(speakers)]
        kept = [one.speaker not in (left_out, judge) for one in commands]
        trained = train_commands(variants.where(kept), settings, seed=SEED)
        accuracies[judge] = accuracy(trained, [one for one in commands if one.speaker == judge])
    return {"digits_validation": float(np.mean(list(accuracies.values()))), **accuracies}


def spoken_digits(data: Path | None) -> tuple[list[Command], list[bool]]:
    """Recordings, and whether each is of the official test. Raises InputError where there is none."""
    if data is None or not (data / "speech/fsdd").is_dir():
        raise InputError("digits: expected a folder with speech/fsdd, found none: give --data")
    corpus = read(data / "speech/fsdd", CorpusSettings(kind="digits"))
    commands = [
        Command(read_audio(corpus.recording_files[name], rate=RATE).audio, word, speaker)
        for name, word, speaker in corpus.recordings.select("recording", "text", "speaker").rows()
    ]
    return commands, (corpus.recordings["split"] == "test").to_list()


def main() -> None:
    """Judge settings at validation speakers."""
    parser = argparse.ArgumentParser(description="Judge settings of the spoken digits at validation speakers.")
    parser.add_argument("--data", type=Path, required=True, help="folder with speech/fsdd")
    parser.add_argument("--settings", type=json.loads, default={}, help="CommandSettings, in JSON")
    parser.add_argument("--augmentation", type=json.loads, default={}, help="AugmentationSettings, in JSON")
    given = parser.parse_args()
    augmentation = AugmentationSettings(**given.augmentation)
    settings = dataclasses.replace(CommandSettings(), **given.settings, augmentation=augmentation)
    print(json.dumps(validation(given.data, settings)))


if __name__ == "__main__":
    main()
