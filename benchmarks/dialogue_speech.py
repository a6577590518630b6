"""Speech for `benchmarks/dialogue.py`: word error rates on human recordings, and spoken digits by whom was learnt from.

human_wer, human_wer_embedded: of Whisper tiny.en and of PocketSphinx on the read sentences of speech/human/librivox;
the cards beside it have keys of their own. Half widths are of a 95 % bootstrap interval over recordings.

digits_official: Free Spoken Digit Dataset, recordings 0 to 4 of each speaker and digit, learnt from 5 to 49.
digits_leave_one_speaker_out: mean over the six speakers, each judged by what the other five taught. Settings are the
defaults of `CommandSettings`, the last epoch's weights are judged, and none of it is chosen per speaker.

digits_validation (with --validation): mean accuracy at a validation speaker, the next one by name, of recognisers that
saw neither that one nor the test speaker: what settings are chosen by.

    python -m benchmarks.dialogue_speech --data ../shared/data [--only speech|digits] [--json] [--validation]
"""

import argparse
import dataclasses
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from twinloop.dialogue.providers.protocols import SpeechToText
from twinloop.dialogue.providers.registry import open_provider
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.dialogue.speech.audio import read_audio
from twinloop.dialogue.speech.commands.evaluation import accuracy, leave_one_speaker_out
from twinloop.dialogue.speech.commands.settings import AugmentationSettings, CommandSettings
from twinloop.dialogue.speech.commands.training import Command, train_commands
from twinloop.dialogue.speech.errors import WordErrors, total, word_errors
from twinloop.errors import InputError

Figures = dict[str, float]
RECOGNISERS = {"": "whisper", "_embedded": "pocketsphinx"}
DRAWS = 2000
SEED = 20261130
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
OFFICIAL_TEST = range(5)


def speech(data: Path) -> Figures:
    """Word error rates on human speech in `data`/speech/human."""
    figures: Figures = {}
    folder = data / "speech/human"
    for suffix, name in RECOGNISERS.items():
        ears: SpeechToText = open_provider("speech_to_text", name, {}, Surroundings())
        for key, texts in (("human", librivox(folder / "librivox")), ("cards", cards(folder / "cards"))):
            errors = [word_errors(text, ears.transcribe(read_audio(path).audio).text) for path, text in texts.items()]
            figures[f"{key}_wer{suffix}"] = round(total(errors).rate, 4)
            figures[f"{key}_wer{suffix}_half"] = round(half_width(errors), 4)
    return figures


def digits(data: Path, settings: CommandSettings | None = None) -> Figures:
    """Accuracy on the spoken digits in `data`/speech/fsdd, by the official split and by speaker."""
    settings = settings or CommandSettings()
    began = time.process_time()
    takes = spoken_digits(data / "speech/fsdd/recordings")
    commands = [command for command, _ in takes]
    learnt = [command for command, take in takes if take not in OFFICIAL_TEST]
    official = accuracy(
        train_commands(learnt, settings, seed=SEED), [command for command, take in takes if take in OFFICIAL_TEST]
    )
    by_speaker = leave_one_speaker_out(commands, settings, seed=SEED)
    return {
        "digits_official": round(official, 4),
        "digits_leave_one_speaker_out": round(float(np.mean(list(by_speaker.values()))), 4),
        **{f"digits_without_{speaker}": round(value, 4) for speaker, value in by_speaker.items()},
        "digits_cpu_s": round(time.process_time() - began, 1),
    }


def validation(data: Path, settings: CommandSettings) -> Figures:
    """Mean accuracy at validation speakers of recognisers that saw neither them nor the test speaker."""
    commands = [command for command, _ in spoken_digits(data / "speech/fsdd/recordings")]
    speakers = sorted({command.speaker for command in commands})
    accuracies = []
    for place, test in enumerate(speakers):
        judge = speakers[(place + 1) % len(speakers)]
        trained = train_commands([one for one in commands if one.speaker not in (test, judge)], settings, seed=SEED)
        accuracies.append(accuracy(trained, [one for one in commands if one.speaker == judge]))
    return {"digits_validation": round(float(np.mean(accuracies)), 4)}


def librivox(folder: Path) -> dict[Path, str]:
    """Recording → text, of read sentences with a text file each."""
    return {path.with_suffix(".wav"): path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))}


def cards(folder: Path) -> dict[Path, str]:
    """Recording → text, of a transcription in CMU Sphinx's form: <s> text </s> (name)."""
    lines = (folder / "cards.transcription").read_text(encoding="utf-8").splitlines()
    found = (re.fullmatch(r"<s>(.*)</s>\s*\((\w+)\)\s*", line) for line in lines)
    return {folder / f"{match[2]}.wav": match[1].strip() for match in found if match}


def spoken_digits(folder: Path) -> list[tuple[Command, int]]:
    """Recordings with their take, from files called digit_speaker_take.wav. Raises InputError where there is none."""
    takes = []
    for path in sorted(folder.glob("[0-9]_*_*.wav")):
        digit, speaker, take = path.stem.split("_")
        takes.append((Command(read_audio(path, rate=8_000).audio, DIGITS[int(digit)], speaker), int(take)))
    if not takes:
        raise InputError(f"digits: {folder}: expected recordings called digit_speaker_take.wav, found none")
    return takes


def half_width(errors: Sequence[WordErrors]) -> float:
    """Half of the 95 % interval of the error rate, by bootstrap over recordings."""
    counts = np.array([(one.substitutions + one.deletions + one.insertions, one.words) for one in errors])
    drawn = counts[np.random.default_rng(SEED).integers(0, len(counts), (DRAWS, len(counts)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], (0.025, 0.975))
    return float(high - low) / 2


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with speech/human and speech/fsdd")
    parser.add_argument("--only", choices=("speech", "digits"))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--validation", action="store_true", help="what settings of the digits are chosen by, instead")
    parser.add_argument("--augmentation", type=json.loads, default={}, help="its settings, in JSON")
    parser.add_argument("--settings", type=json.loads, default={}, help="further settings of the digits, in JSON")
    given = parser.parse_args()
    settings = dataclasses.replace(
        CommandSettings(), **given.settings, augmentation=AugmentationSettings(**given.augmentation)
    )
    figures: Figures = {}
    if given.validation:
        figures = validation(given.data, settings)
    else:
        if given.only in (None, "speech"):
            figures |= speech(given.data)
        if given.only in (None, "digits"):
            figures |= digits(given.data, settings)
    print(json.dumps(figures) if given.json else "\n".join(f"{key:32} {value}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
