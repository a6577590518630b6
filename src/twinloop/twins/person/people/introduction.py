"""The five questions by which a person's folder is made: who, documents, voice, sliders, calendar.

Each answer is written to the folder at once, and which are answered beside it: an introduction that was interrupted
goes on.
"""

import dataclasses
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field

from twinloop.config import Invalid, parse, parse_file, settings
from twinloop.dialogue.datasets.calendars import read_calendar
from twinloop.dialogue.datasets.person_folder import read_messages
from twinloop.dialogue.datasets.settings import CalendarSettings, CorpusSettings
from twinloop.dialogue.knowledge.library import INDEX, Library
from twinloop.dialogue.persona.settings import SLIDERS, PersonaSettings
from twinloop.errors import InputError, unknown
from twinloop.files import atomic, read_json, write_json
from twinloop.progress import say
from twinloop.twins.person.config import NONE
from twinloop.twins.person.people.folders import CALENDAR, MESSAGES, PROFILE, UNFINISHED, Person, folder_name, people

QUESTIONS: Mapping[str, str] = {
    "who": "Who is it? A name:",
    "documents": "Which documents does it know? Files and folders, empty for none yet:",
    "voice": "Whose voice speaks? flite slt, flite awb, flite rms, espeak en-gb, none; empty for flite slt:",
    "sliders": f"How does it speak? {', '.join(SLIDERS)}, four numbers from 0 to 1; empty for 0.5 0.3 0.3 0.1:",
    "calendar": "Which calendar? A file .ics, then a zone such as Europe/Berlin where it has none; empty for none:",
}
VOICE = "flite slt"
ZONE_ADVICE = "name a zone behind the file, or as zone: in a file of answers"


@settings
class Introduced:
    """All answers at once. Paths are relative to the file that holds them. zone: of times without one."""

    who: Annotated[str, Field(min_length=1)]
    documents: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    voice: str = VOICE
    sliders: PersonaSettings = dataclasses.field(default_factory=PersonaSettings)
    calendar: str = ""
    zone: str = ""
    messages: str = ""


class Introduction:
    """The questions and what has been answered; person: who is introduced, None before that is said."""

    def __init__(self, root: Path, person: Person | None = None) -> None:
        self._root, self.person = root, person
        self._answered = _answered(person) if person is not None else []

    @property
    def question(self) -> str | None:
        """The next one, None where all are answered."""
        key = self._next
        return QUESTIONS[key] if key is not None else None

    @property
    def _next(self) -> str | None:
        return next((key for key in QUESTIONS if key not in self._answered), None)

    def answer(self, text: str) -> None:
        """Take an answer to the next question as it is typed. Raises InputError for one that does not do."""
        steps: Mapping[str, Callable[[str], None]] = {
            "who": self.who,
            "documents": lambda given: self.documents([Path(part).expanduser() for part in _split(given)]),
            "voice": lambda given: self.voice(given or VOICE),
            "sliders": lambda given: self.sliders(_numbers(given)),
            "calendar": lambda given: self.calendar(*_split(given)),
        }
        key = self._next
        if key is not None:
            steps[key](text.strip())

    def who(self, name: str, zone: str = "") -> None:
        """Make the folder. One that was begun is gone on with; a finished one of that name is refused."""
        own = Person(self._root, folder_name(name))
        if own.unfinished:
            self.person, self._answered = own, _answered(own)
            return
        if own.folder.exists():
            raise InputError(f"init: {own.folder}: is there already: choose another name, or delete the folder first")
        self.person = own
        own.folder.mkdir(parents=True)
        self._keep({"name": name} | ({"zone": _zone(zone)} if zone else {}))
        self._done("who")

    def documents(self, given: Sequence[Path]) -> None:
        """Take in documents. Raises InputError for one that cannot be read; of a folder such ones are told."""
        if given:
            known = self._known
            added, refused = Library(known.folder, index=known.state / INDEX).add(given)
            # By words alone, so that no weights are needed yet; whoever asks first makes it as configured.
            shutil.rmtree(known.state, ignore_errors=True)
            for one in refused:
                say(f"left out   {one.reason}")
            if not added:
                raise InputError(
                    f"init: {given[0]}: no document that can be read (PDF, TXT, Markdown, HTML): name another"
                )
            say(f"took in    {len(added)} of {len(added) + len(refused)} documents")
        self._done("documents")

    def voice(self, voice: str) -> None:
        """Choose a voice; one whose program is there must know it."""
        program, _, name = voice.partition(" ")
        if program not in (NONE, "flite", "espeak"):
            raise unknown("init: voice", program, (NONE, "flite", "espeak"))
        if program != NONE:
            _check_voice(program, name)
        self._keep({"voice": voice})
        self._done("voice")

    def sliders(self, given: Mapping[str, Any]) -> None:
        """Set the sliders. Raises InputError for one beyond 0 to 1."""
        try:
            persona = parse(PersonaSettings, dict(given))
        except Invalid as error:
            raise InputError(f"init: sliders: {error}") from None
        self._keep({"persona": {slider: getattr(persona, slider) for slider in SLIDERS}})
        self._done("sliders")

    def calendar(self, path: str = "", zone: str = "", *more: str) -> None:
        """Take in a calendar that can be read. Raises InputError where it cannot."""
        if more:
            raise InputError(f"init: calendar: expected a file and a zone, got {more[0]!r} too: put the path in quotes")
        if path:
            source = Path(path).expanduser()
            zone = _zone(zone) if zone else str(self._known.profile.get("zone", ""))
            # Until which day recurrences go on and what becomes of hours that a clock skips, the configuration says.
            reading = CalendarSettings(zone=zone, until="2100-01-01", clock_change="standard", most_events=10_000_000)
            try:
                read_calendar(source, CorpusSettings(calendar=reading))
            except InputError as error:
                raise InputError(str(error).replace("set CalendarSettings.zone", ZONE_ADVICE)) from None
            _copy(source, self._known.folder / CALENDAR)
            self._keep({"zone": zone} if zone else {})
        self._done("calendar")

    def messages(self, path: Path) -> None:
        """Take in a table of messages, by which the person's style is known. Raises InputError for anything else."""
        read_messages(path, str(self._known.profile.get("zone", "")), CorpusSettings())
        _copy(path, self._known.folder / MESSAGES)

    @property
    def _known(self) -> Person:
        assert self.person is not None
        return self.person

    def _keep(self, more: Mapping[str, Any]) -> None:
        write_json(self._known.folder / PROFILE, dict(self._known.profile) | dict(more))

    def _done(self, key: str) -> None:
        self._answered.append(key)
        write_json(self._known.folder / UNFINISHED, self._answered)
        if self._next is None:
            (self._known.folder / UNFINISHED).unlink()


def going_on(root: Path) -> Introduction:
    """The introduction that was interrupted, the first by name; else a new one."""
    return Introduction(root, next((one for one in people(root) if one.unfinished), None))


def from_file(root: Path, path: Path) -> Person:
    """Make a person's folder from a file of answers, all of it or nothing. Raises InputError for what does not do."""
    given = parse_file(Introduced, path, name="init", remedy="give a file with the keys who, documents, voice …")
    beside = path.resolve().parent
    if (begun := Person(root, folder_name(given.who))).unfinished:
        raise InputError(f"init: {begun.folder}: is begun already: `person init` goes on, or delete the folder first")
    introduction = Introduction(root)
    introduction.who(given.who, given.zone)
    # Whatever goes wrong, the disk that is full and the user who stops included: nothing half made stays.
    try:
        introduction.documents([beside / Path(one).expanduser() for one in given.documents])
        introduction.voice(given.voice)
        introduction.sliders(dataclasses.asdict(given.sliders))
        if given.messages:
            introduction.messages(beside / given.messages)
        introduction.calendar(*((str(beside / given.calendar), given.zone) if given.calendar else ()))
    except BaseException:
        shutil.rmtree(introduction._known.folder)
        shutil.rmtree(introduction._known.state, ignore_errors=True)
        raise
    return introduction._known


def _answered(person: Person) -> list[str]:
    return [str(key) for key in read_json(person.folder / UNFINISHED)]


def _split(text: str) -> list[str]:
    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise InputError(f"init: {text[:80]!r}: {error}: write quotes in pairs") from None
    if "" in parts:
        raise InputError(f"init: {text[:80]!r}: expected names, one of them is empty: leave it out or name it")
    return parts


def _numbers(text: str) -> dict[str, float]:
    parts = text.replace(",", " ").split()
    if not parts:
        return {}
    try:
        return dict(zip(SLIDERS, map(float, parts), strict=True))
    except ValueError:
        raise InputError(f"init: sliders: expected four numbers such as 0.5 0.3 0.3 0.1, got {text[:80]!r}") from None


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise InputError(f"init: zone {name!r} is unknown: name it as Europe/Berlin")
    return ZoneInfo(name).key


def _copy(source: Path, target: Path) -> None:
    try:
        with atomic(target) as temporary:
            temporary.write_bytes(source.read_bytes())
    except OSError as error:
        raise InputError(f"init: {source}: cannot be read ({error.strerror}): name another file") from None


def _check_voice(program: str, voice: str) -> None:
    from twinloop.dialogue.providers.registry import open_provider
    from twinloop.dialogue.providers.surroundings import Surroundings

    if shutil.which({"flite": "flite", "espeak": "espeak-ng"}[program]) is None:
        say(f"voice      {program} is not installed here: replies stay text until it is")
        return
    open_provider("text_to_speech", program, {"voice": voice} if voice else {}, Surroundings())
