"""The Free Spoken Digit Dataset (Jackson et al.): {digit}_{speaker}_{index}.wav.

Its official test set is index 0 to 4 of every speaker: all speakers are on both sides, so it says nothing of new ones.
"""

import re
from pathlib import Path

from twinloop.dialogue.datasets.corpus import RECORDINGS, Corpus, rows
from twinloop.dialogue.datasets.files import of_suffix
from twinloop.dialogue.datasets.settings import CorpusSettings

NAME = re.compile(r"(\d)_([a-z]+)_(\d+)\.wav", re.IGNORECASE)
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
OFFICIAL_TEST = 5
NOTE = "the official split has every speaker on both sides: leave speakers out to know how new ones are understood"


def claims(files: list[Path]) -> list[Path]:
    """The recordings that are named so."""
    return [path for path in of_suffix(files, (".wav",)) if NAME.fullmatch(path.name)]


def read(files: list[Path], settings: CorpusSettings) -> Corpus:
    """Recordings with speaker, digit as a word, and the official split."""
    table, sounds = [], {}
    for path in files:
        match = NAME.fullmatch(path.name)
        assert match is not None, "claimed by its name"
        digit, speaker, index = match.groups()
        split = "test" if int(index) < OFFICIAL_TEST else "train"
        table.append((path.name, speaker.lower(), WORDS[int(digit)], split))
        sounds[path.name] = path
    return Corpus(layout="digits", recordings=rows(RECORDINGS, table), recording_files=sounds, notes=(NOTE,))
