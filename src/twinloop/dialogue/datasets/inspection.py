"""A look at a source before it is prepared: which layout it is, what it holds, what is left out and why, what leaks.

All of it is read just as prepare would read it, and nothing is kept. Where no layout fits, it is said which are near
and what they lack.
"""

from dataclasses import dataclass
from pathlib import Path

from twinloop.dialogue.datasets.corpus import TABLES, Corpus
from twinloop.dialogue.datasets.files import SOUND_SUFFIXES, beginning, data_files, of_suffix
from twinloop.dialogue.datasets.layouts import Recognised, recognise
from twinloop.dialogue.datasets.settings import CorpusSettings
from twinloop.dialogue.datasets.splits import corpus_leaks
from twinloop.errors import InputError
from twinloop.numbers import counted

OFFICE = (".docx", ".doc", ".odt", ".rtf", ".pptx", ".epub")
OTHER_SOUND = (".m4a", ".aac", ".opus", ".wma")
LONGEST = 5


@dataclass(frozen=True)
class Inspection:
    """What was found. candidates: layouts that claim files, the surest first. corpus: what was read, where it could be.

    problem: why it could not. near: what layouts that do not fit lack, a sentence each. remarks: on what was read.
    """

    candidates: tuple[Recognised, ...]
    corpus: Corpus | None = None
    problem: str = ""
    near: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def inspect(source: Path, settings: CorpusSettings) -> Inspection:
    """Recognise and read a file or folder. Raises InputError for a source that is not there."""
    candidates = recognise(source)
    near = _near(source, {one.layout.name for one in candidates})
    if settings.kind != "auto":
        candidates = tuple(one for one in candidates if one.layout.name == settings.kind)
    if not candidates:
        return Inspection((), near=near)
    best = candidates[0]
    try:
        corpus = best.layout.read(list(best.files), settings)
    except InputError as error:
        return Inspection(candidates, problem=str(error), near=near)
    return Inspection(candidates, corpus, near=near, remarks=_remarks(corpus))


def contents(corpus: Corpus) -> dict[str, int]:
    """Rows of every table that has any."""
    return {name: len(corpus.table(name)) for name in TABLES if len(corpus.table(name))}


def _remarks(corpus: Corpus) -> tuple[str, ...]:
    told = list(corpus.notes)
    leaks = corpus_leaks(corpus)
    for unit in sorted({leak.unit for leak in leaks}):
        names = [leak.name for leak in leaks if leak.unit == unit]
        told.append(f"leaks: {counted(len(names), unit)} on several sides of the split, first {names[0]}")
    return tuple(told)


def _near(source: Path, claimed: set[str]) -> tuple[str, ...]:
    told = []
    files = data_files(source)
    sounds = of_suffix(files, SOUND_SUFFIXES)
    if sounds and not claimed & {"recordings", "digits"}:
        told.append(
            f"{counted(len(sounds), 'recording')} near recordings: no transcript; put {sounds[0].stem}.txt beside "
            f"{sounds[0].name}, or a table with columns file and text"
        )
    for path in of_suffix(files, (".json",)):
        if not claimed & {"person", "qmsum", "squad"} and '"question"' in beginning(path):
            told.append(f"{path.name} is near squad: it lacks paragraphs with context, qas and answers")
    everything = [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())
    for suffixes, kind, remedy in ((OFFICE, "documents", "PDF"), (OTHER_SOUND, "recordings", "WAV")):
        odd = [path for path in everything if path.suffix.lower() in suffixes]
        if odd:
            told.append(f"{counted(len(odd), 'file')} near {kind}, first {odd[0].name}: save as {remedy}")
    if claimed and claimed <= {"documents", "calendar"}:
        told.append(
            "near person: it lacks a profile.json with a name; with one, messages.csv and calendar.ics are read too"
        )
    return tuple(told[:LONGEST])
