"""People by their own files: data/source/person/NAME holds profile.json, documents/, messages.csv and calendar.ics,
just as the prepare stage reads them, and before it has run a self can be asked about the documents.

What is made of a folder (the index, what was told in conversations) lies in .twinloop/people/NAME and can be thrown
away.
"""

import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from twinloop.config import Invalid, parse
from twinloop.config.sections import load
from twinloop.dialogue.knowledge.library import DOCUMENTS, INDEX, Library
from twinloop.dialogue.persona.memory import Memory
from twinloop.dialogue.persona.settings import SLIDERS, PersonaSettings
from twinloop.dialogue.providers.protocols import Encoder
from twinloop.errors import InputError, unknown
from twinloop.files import read_json
from twinloop.progress import say
from twinloop.twins.person import paths
from twinloop.twins.person.chain import ENCODER, MEMORY, Chain, Described, described_in, open_encoder, opened_chain
from twinloop.twins.person.config import NONE, TRAINED, PersonConfig, ProviderSettings, ProvidersSettings

PEOPLE, STATE = Path("data/source/person"), Path(".twinloop/people")
PROFILE, MESSAGES, CALENDAR, UNFINISHED = "profile.json", "messages.csv", "calendar.ics", ".unfinished.json"
# People that a message names.
SHOWN = 5


@dataclass(frozen=True)
class Person:
    """Somebody's folder below `root`; name: of the folder."""

    root: Path
    name: str

    @property
    def folder(self) -> Path:
        """Their own files."""
        return self.root / PEOPLE / self.name

    @property
    def state(self) -> Path:
        """What is made of them."""
        return self.root / STATE / self.name

    @property
    def profile(self) -> Mapping[str, Any]:
        """What profile.json holds; empty where there is none yet. Raises InputError where it is no mapping."""
        path = self.folder / PROFILE
        try:
            held = read_json(path) if path.is_file() else {}
        except (OSError, ValueError) as error:
            raise InputError(
                f"person: {path}: cannot be read ({error}): correct it or run `person init` anew"
            ) from None
        if not isinstance(held, dict):
            raise InputError(f"person: {path}: expected a mapping with a name, got a {type(held).__name__}: correct it")
        return held

    @property
    def persona(self) -> PersonaSettings | None:
        """The sliders of the profile, None where it names none. Raises InputError for values that are none."""
        given = self.profile.get("persona")
        if given is None:
            return None
        try:
            return parse(PersonaSettings, given)
        except Invalid as error:
            raise InputError(f"person: {self.folder / PROFILE}: persona: {error}") from None

    @property
    def unfinished(self) -> bool:
        """Whether `person init` still has questions."""
        return (self.folder / UNFINISHED).is_file()

    def record(self) -> dict[str, Any]:
        """Plain values: who it is and what is there."""
        documents = [path for path in sorted((self.folder / DOCUMENTS).rglob("*")) if path.is_file()]
        return {
            "name": self.name,
            "folder": (PEOPLE / self.name).as_posix(),
            "profile": dict(self.profile),
            "documents": [path.relative_to(self.folder / DOCUMENTS).as_posix() for path in documents],
            "messages": (self.folder / MESSAGES).is_file(),
            "calendar": (self.folder / CALENDAR).is_file(),
            "unfinished": self.unfinished,
        }

    def library(self) -> Library:
        """Their documents, indexed as params.yaml says, with whatever has been put into documents/ or taken out.

        An index of another encoder or of other settings is made anew, which is told.
        """
        config = load(self.root, "person-export", PersonConfig).person
        encoder = _encoder(self.root, config.providers)
        held: dict[str, Any] = {"reading": config.data.documents, "index": self.state / INDEX}
        try:
            library = Library(self.folder, encoder, config.index, **held)
        except InputError as error:
            say(f"index      the index is made anew ({error})")
            shutil.rmtree(self.state / INDEX)
            library = Library(self.folder, encoder, config.index, **held)
        for one in library.refresh():
            say(f"left out   {one.reason}")
        return library

    def chain(self, *, speech: bool = True, mute: bool = False) -> Chain:
        """Their self before its loop has run: configured values, the profile's sliders and voice."""
        config = load(self.root, "person-export", PersonConfig).person
        providers = with_voice(config.providers, str(self.profile.get("voice", "")))
        described = Described(
            name=str(self.profile.get("name", self.name)),
            profile=dict(self.profile),
            index=config.index,
            answers=config.answers,
            persona=self.persona or config.persona,
            conversation=config.conversation,
            providers=providers,
        )
        return opened_chain(described, self.library().index, self.memory(), speech=speech, mute=mute)

    def memory(self) -> Memory:
        """What they were told in conversations before."""
        path = self.state / MEMORY
        return Memory.load(path) if path.is_file() else Memory()

    def remember(self, told: Memory) -> None:
        """Keep what was told in a conversation for the next ones, beside what others may have told meanwhile."""
        self.state.mkdir(parents=True, exist_ok=True)
        Memory([*self.memory().told, *told.told]).save(self.state / MEMORY)


def people(root: Path) -> tuple[Person, ...]:
    """Everybody with a folder, by name."""
    folders = (root / PEOPLE).glob("*") if (root / PEOPLE).is_dir() else ()
    found = (folder.name for folder in folders if (folder / PROFILE).is_file() or (folder / UNFINISHED).is_file())
    return tuple(Person(root, name) for name in sorted(found))


def person(root: Path, name: str | None = None) -> Person:
    """The person called so, by the name of the folder or their own; without a name the only one there is.

    Raises InputError where there is none, or more than one without a name.
    """
    everybody = people(root)
    if not everybody:
        raise InputError(f"person: nobody has a folder below {PEOPLE} yet: run `python -m twinloop person init`")
    if name is None:
        if len(everybody) > 1:
            more = ", …" if everybody[SHOWN:] else ""
            shown = ", ".join(one.name for one in everybody[:SHOWN])
            raise InputError(f"person: there are {len(everybody)} people, {shown}{more}: say whose by name")
        return everybody[0]
    for one in everybody:
        if name in (one.name, one.profile.get("name")):
            return one
    raise unknown("person", name, [one.name for one in everybody])


def loop_command(one: Person) -> str:
    """The command that makes the loop run on somebody's folder, with their sliders and voice."""
    chosen = ["person/data=auto", f"person.data.source={shlex.quote((PEOPLE / one.name).as_posix())}"]
    if one.persona is not None:
        chosen += [f"person.persona.{slider}={getattr(one.persona, slider):g}" for slider in SLIDERS]
    if voice := str(one.profile.get("voice", "")):
        program, _, name = voice.partition(" ")
        chosen.append(f"person.providers.text_to_speech.name={program}")
        chosen += [f"+person.providers.text_to_speech.settings.voice={name}"] if name else []
    return " ".join(["python -m twinloop conf", *chosen])


def folder_name(name: str) -> str:
    """The name of a person's folder: letters and digits of any script, joined by hyphens.

    >>> folder_name("Zoë van den Berg")
    'zoë-van-den-berg'
    """
    if "/" in name or "\\" in name:
        raise InputError(f"person: {name[:80]!r}: expected a name, got a path: say who it is first")
    found = "-".join(re.findall(r"\w+", name.casefold()))
    if not found or len(found) > 100:
        raise InputError(f"person: {name[:80]!r}: expected a name with a letter or digit, at most 100 of them")
    return found


def with_voice(providers: ProvidersSettings, voice: str) -> ProvidersSettings:
    """These providers with a voice such as `flite slt`, `espeak en-gb` or none; the providers' own for an empty one."""
    if not voice:
        return providers
    program, _, name = voice.partition(" ")
    chosen = ProviderSettings(name=program, settings={"voice": name} if name else {})
    return replace(providers, text_to_speech=ProviderSettings() if program == NONE else chosen)


def _encoder(root: Path, providers: ProvidersSettings) -> Encoder | None:
    if providers.encoder.name != TRAINED:
        return open_encoder(providers, root, None)
    own = root / paths.SELF
    return open_encoder(providers, own / ENCODER, described_in(own).shape)
