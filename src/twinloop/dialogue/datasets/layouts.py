"""Every layout that is read, and the recogniser: it looks at all files of a source, the most telling layout first.

To add one, write a module with `claims` and `read` and enter it here and in settings.Kind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twinloop.dialogue.datasets import calendars, digits, documents, person_folder, qmsum, recordings, squad
from twinloop.dialogue.datasets.corpus import Corpus
from twinloop.dialogue.datasets.files import data_files
from twinloop.dialogue.datasets.settings import CorpusSettings
from twinloop.errors import InputError


@dataclass(frozen=True)
class Layout:
    """name: as in CorpusSettings.kind. looks_for: what it is known by. claims: the files of it among those given."""

    name: str
    looks_for: str
    claims: Callable[[list[Path]], list[Path]]
    read: Callable[[list[Path], CorpusSettings], Corpus]


LAYOUTS = (
    Layout(
        "person", "profile.json beside documents/, messages.csv, calendar.ics", person_folder.claims, person_folder.read
    ),
    Layout("qmsum", "JSON with meeting_transcripts and specific_query_list", qmsum.claims, qmsum.read),
    Layout("squad", "JSON with paragraphs, context, qas and answers", squad.claims, squad.read),
    Layout("digits", "{digit}_{speaker}_{index}.wav", digits.claims, digits.read),
    Layout("recordings", "sound with a text of the same name or a table beside", recordings.claims, recordings.read),
    Layout("calendar", "iCalendar files (.ics)", calendars.claims, calendars.read),
    Layout("documents", "PDF, TXT, Markdown and HTML", documents.claims, documents.read),
)
BY_NAME = {layout.name: layout for layout in LAYOUTS}
LEAST_SURE = 0.5


@dataclass(frozen=True)
class Recognised:
    """A layout that a source may be: the files that it claims, and those that others claim alone."""

    layout: Layout
    files: tuple[Path, ...]
    left: tuple[Path, ...]

    @property
    def sureness(self) -> float:
        """Its share of the files that any layout claims, 0 to 1."""
        return len(self.files) / (len(self.files) + len(self.left))


def recognise(source: Path) -> tuple[Recognised, ...]:
    """Every layout that claims a file of the source, that with most files first, of equal ones the more telling.

    Raises InputError for a source that is not there.
    """
    files = data_files(source)
    claimed = [(layout, layout.claims(files)) for layout in LAYOUTS]
    wanted = {path for _, own in claimed for path in own}
    candidates = [
        Recognised(layout, tuple(own), tuple(sorted(wanted.difference(own)))) for layout, own in claimed if own
    ]
    return tuple(sorted(candidates, key=lambda candidate: -candidate.sureness))


def read(source: Path, settings: CorpusSettings) -> Corpus:
    """All of a source in the layout that `settings.kind` names or that is recognised.

    Raises InputError where nothing fits, and where what is recognised claims less than half of the files.
    """
    candidates = recognise(source)
    if settings.kind != "auto":
        candidates = tuple(one for one in candidates if one.layout.name == settings.kind)
    if not candidates:
        looked = BY_NAME[settings.kind].looks_for if settings.kind != "auto" else f"one of {', '.join(BY_NAME)}"
        raise InputError(
            f"corpus: {source}: expected {looked}, no file is that: `python -m twinloop doctor data` with this path "
            "says what is near"
        )
    best = candidates[0]
    if settings.kind == "auto" and best.sureness < LEAST_SURE:
        raise InputError(
            f"corpus: {source}: {best.layout.name} would leave {len(best.left)} files unread, first "
            f"{best.left[0].name}: name a folder of one kind, or CorpusSettings.kind"
        )
    return best.layout.read(list(best.files), settings)
