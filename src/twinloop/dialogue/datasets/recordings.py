"""Any folder of recordings with what is said in them: a text beside each by name, or a table.

Tables: CSV or TSV with a column for the file and one for the text; LibriSpeech's *.trans.txt (`id TEXT`); CMU Sphinx's
`transcription` (`<s> text </s> (id)`). Who speaks is a column of the table, else the folder where there are several.
"""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from twinloop.dialogue.datasets.corpus import RECORDINGS, UNDIVIDED, Corpus, rows
from twinloop.dialogue.datasets.files import (
    SOUND_SUFFIXES,
    TABLE_SUFFIXES,
    TRANSCRIPTION,
    beginning,
    of_suffix,
    root_of,
    stem_names,
    suffix,
    table_of,
    text_of,
)
from twinloop.dialogue.datasets.passages import squeezed
from twinloop.dialogue.datasets.settings import CorpusSettings
from twinloop.errors import InputError

FILE_COLUMNS = ("file", "path", "recording", "wav", "filename", "file_name", "audio", "name", "id")
TEXT_COLUMNS = ("text", "transcript", "transcription", "sentence", "normalized_text")
SPEAKER_COLUMNS = ("speaker", "client_id", "speaker_id", "reader")
LIBRISPEECH, LIBRISPEECH_LINE = ".trans.txt", re.compile(r"(\S+)\s+(.+)")
SPHINX_LINE = re.compile(r"(.*)\(([^()]+)\)\s*")
FOLDERS = {"train": "train", "val": "val", "dev": "val", "validation": "val", "test": "test"}
WITHOUT_TEXT, WITHOUT_SOUND, EMPTY = "recording without transcript", "transcript without recording", "empty recording"
BY_FOLDER = "speakers are told apart by folder"
NO_SPEAKER = "nobody says who speaks: whether a speaker is on both sides of a split cannot be checked"


class _Said(NamedTuple):
    text: str
    speaker: str = ""


def claims(files: list[Path]) -> list[Path]:
    """Texts beside recordings, tables, and the recordings in or below a folder that has either."""
    sounds = of_suffix(files, SOUND_SUFFIXES)
    stems = {sound.with_suffix("") for sound in sounds}
    beside = [path for path in of_suffix(files, (".txt",)) if path.with_suffix("") in stems]
    transcripts = {*beside, *(path for path in files if sounds and _is_table(path))}
    folders = {path.parent for path in transcripts}
    spoken = [sound for sound in sounds if not folders.isdisjoint(sound.parents)]
    return sorted([*spoken, *transcripts]) if spoken else []


def read(files: list[Path], settings: CorpusSettings) -> Corpus:
    """Recordings with text, speaker and the split that their folder names.

    Raises InputError for a table without the columns, and for a recording with two different transcripts.
    """
    sounds = of_suffix(files, SOUND_SUFFIXES)
    named = stem_names(sounds, root_of(sounds))
    said, left = _transcripts(files, named, settings)
    left[EMPTY] += sum(path.stat().st_size == 0 for name, path in named.items() if name in said)
    left[WITHOUT_TEXT] += len(named.keys() - said.keys())
    kept = {name: path for name, path in named.items() if name in said and path.stat().st_size}
    notes = []
    folders = {path.parent.name for path in kept.values()} - FOLDERS.keys()
    by_folder = len(folders) > 1 and not any(one.speaker for one in said.values())
    if by_folder:
        notes.append(BY_FOLDER)
    table = []
    for name, path in kept.items():
        speaker = path.parent.name if by_folder else said[name].speaker
        split = next((FOLDERS[part] for part in Path(name).parts if part.lower() in FOLDERS), UNDIVIDED)
        table.append((name, speaker, said[name].text, split))
    if any(not row[1] for row in table):
        notes.append(NO_SPEAKER)
    return Corpus(
        layout="recordings",
        recordings=rows(RECORDINGS, table),
        recording_files=kept,
        left_out=+left,
        notes=tuple(notes),
    )


def _is_table(path: Path) -> bool:
    if suffix(path) in TABLE_SUFFIXES:
        header = {cell.strip().strip('"').lower() for cell in re.split(r"[,\t]", beginning(path).partition("\n")[0])}
        return bool(header & set(FILE_COLUMNS)) and bool(header & set(TEXT_COLUMNS))
    return suffix(path) == TRANSCRIPTION or path.name.lower().endswith(LIBRISPEECH)


def _transcripts(
    files: list[Path], named: dict[str, Path], settings: CorpusSettings
) -> tuple[dict[str, _Said], Counter[str]]:
    """What is said in each recording, and how many transcripts have none."""
    by_path = {path.resolve().with_suffix(""): name for name, path in named.items()}
    by_path |= {path.resolve(): name for name, path in named.items()}
    stems: dict[str, list[str]] = {}
    for name, path in named.items():
        stems.setdefault(path.stem, []).append(name)
    said: dict[str, _Said] = {}
    left = Counter[str]()
    for path in files:
        entries: list[tuple[str, _Said]] = []
        if _is_table(path):
            entries = _of_table(path, settings)
        elif suffix(path) == ".txt":
            entries = [(path.stem, _Said(squeezed(text_of(path, max_bytes=settings.max_bytes))))]
        for key, entry in entries:
            alike = stems.get(Path(key).name) or stems.get(Path(key).stem)
            recording = by_path.get((path.parent / key).resolve()) or _only(alike)
            if recording is None:
                left[WITHOUT_SOUND] += 1
                continue
            known = said.get(recording, entry)
            if known.text != entry.text:
                raise InputError(f"corpus: {path}: {recording!r} has another transcript elsewhere: keep one of them")
            said[recording] = known if known.speaker else entry
    return said, left


def _of_table(path: Path, settings: CorpusSettings) -> list[tuple[str, _Said]]:
    if suffix(path) in TABLE_SUFFIXES:
        frame = table_of(path, max_bytes=settings.max_bytes)
        file, text, speaker = (
            next((name for name in names if name in frame.columns), None)
            for names in (FILE_COLUMNS, TEXT_COLUMNS, SPEAKER_COLUMNS)
        )
        if file is None or text is None:
            raise InputError(
                f"corpus: {path}: expected columns file and text, found {', '.join(frame.columns)}: name them so"
            )
        return [
            (row[file], _Said(squeezed(row[text]), row[speaker] if speaker else ""))
            for row in frame.iter_rows(named=True)
        ]
    lines = text_of(path, max_bytes=settings.max_bytes).splitlines()
    if path.name.lower().endswith(LIBRISPEECH):
        matches = [LIBRISPEECH_LINE.fullmatch(line.strip()) for line in lines]
        return [(m[1], _Said(squeezed(m[2]), m[1].partition("-")[0])) for m in matches if m]
    spoken = [SPHINX_LINE.fullmatch(line.strip()) for line in lines]
    return [(m[2], _Said(squeezed(re.sub(r"</?s>", " ", m[1])))) for m in spoken if m]


def _only(names: list[str] | None) -> str | None:
    return names[0] if names and len(names) == 1 else None
