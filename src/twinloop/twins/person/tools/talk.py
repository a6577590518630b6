"""Talk to a self: questions as text or recordings, answered with where it stands and what each part took.

Every argument is a turn, a text or a file of sound; without any, lines are read until one is empty. The self is that of
the loop (models/person/self), or with --person somebody's own documents before their loop has run.
"""

import argparse
import dataclasses
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinloop.errors import InputError, RunError, TwinloopError
from twinloop.progress import say

if TYPE_CHECKING:
    from twinloop.dialogue.conversation.turn import Turn
    from twinloop.dialogue.persona.settings import PersonaSettings
    from twinloop.dialogue.providers.protocols import Audio
    from twinloop.twins.person.chain import Chain

EXAMPLE = 'python -m twinloop talk "When does the warranty end?" --json'
SLIDERS = ("formality", "enthusiasm", "verbosity", "humour")
WRITTEN = (".wav", ".flac", ".ogg")
SOUND = (*WRITTEN, ".mp3")
# As people read what a part did.
DONE = {"hear": "heard", "find": "found", "answer": "answered", "speak": "said"}
NUMBERED = re.compile(r"(?<=”) \[(\d+)\]")
PLACE = re.compile(r", characters \d+ to \d+$")
TRACED = 10
LONGEST = 200
# Who talks to a self on its own machine.
YOU = "you"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("asked", nargs="*", help=f"a text, or a file of sound ({', '.join(SOUND)}); each is a turn")
    parser.add_argument("--person", metavar="NAME", help="of data/source/person (default: the self that the loop made)")
    parser.add_argument("--say", type=Path, metavar="FILE.wav", help="speak the replies into this file")
    for slider in SLIDERS:
        parser.add_argument(f"--{slider}", type=float, metavar="0…1", help="of the persona (default: its own)")
    parser.add_argument("--json", action="store_true", help="print each turn as JSON, an object a line")
    parser.add_argument(
        "--traces", type=int, default=TRACED, metavar="N", help=f"every Nth turn as an MLflow trace, 0: none ({TRACED})"
    )


def run(options: argparse.Namespace, root: Path) -> int:
    """Hold the conversation; 1 where a part of a turn failed. Raises InputError or RunError for what cannot be had."""
    if options.traces < 0:
        raise InputError(f"talk: --traces {options.traces}: expected 0 or every how many turns")
    if options.say is not None:
        _check_place(options.say)
    # Read before anything is opened: a file that is no sound is told at once.
    given = [_asked(text) for text in options.asked]
    chain = _chain(options, root, heard=any(not isinstance(one, str) for one in given))
    if not len(chain.index):
        say("knowledge  no documents yet: `person knowledge add` takes them in")
    conversation = chain.conversation(_persona(chain.own.persona, options), who=YOU)
    for asked in given or _lines(sys.stdin):
        turn = conversation.say(asked)
        print(json.dumps(_record(turn), ensure_ascii=False) if options.json else shown(turn), flush=True)
        if options.traces and turn.number % options.traces == options.traces - 1:
            _trace(root, turn)
        if turn.kept and options.person is not None:
            _remember(chain, turn, options.person, root)
    if options.say is not None:
        _write(options.say, conversation.turns)
    return 1 if any(turn.failed for turn in conversation.turns) else 0


def shown(turn: "Turn") -> str:
    """A turn for a terminal: what was heard where it was spoken, the answer with its sources, what each part took."""
    lines = [f"heard      {_short(turn.heard)}"] if turn.spoken else []
    if turn.question and turn.question.split() != turn.heard.split():
        lines.append(f"understood {_short(turn.question)}")
    took = " · ".join(f"{DONE[part]} {usage.seconds:.2f} s" for part, usage in turn.usage.items())
    said = " ".join(sourced(turn.said, turn.citations).split())
    done = "noted" if turn.noted else "refused" if turn.refused else "answer"
    lines.append(f"{done:<10} {said}   {took}".rstrip())
    return "\n".join([*lines, *([f"failed     {turn.failed}"] if turn.failed else [])])


def sourced(said: str, citations: tuple[str, ...]) -> str:
    """A reply with its sources in place of their numbers: [contract.pdf, page 4].

    >>> sourced("“It ends in May.” [1]", ("contract.pdf, page 4, characters 0 to 15",))
    '“It ends in May.” [contract.pdf, page 4]'
    """
    return NUMBERED.sub(lambda number: f" [{PLACE.sub('', citations[int(number[1]) - 1])}]", said)


def _record(turn: "Turn") -> dict[str, Any]:
    return turn.record() | {"reason": turn.reason}


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _asked(text: str) -> "str | Audio":
    """A text, or what a file of sound holds. Raises InputError for one that cannot be heard."""
    path = Path(text)
    if not _names_sound(text):
        if (sound := next(filter(_names_sound, map(str.strip, text.splitlines())), None)) is not None:
            raise InputError(f"talk: {sound}: a file of sound among the lines of a text: give each turn by itself")
        return text
    from twinloop.dialogue.speech.audio import read_audio

    recording = read_audio(path)
    for remark in recording.remarks:
        say(f"remark     {path.name}: {remark}")
    return recording.audio


def _names_sound(text: str) -> bool:
    """Whether it ends as a file of sound does and is one, or is a single word that must be one."""
    path = Path(text)
    if path.suffix.lower() not in SOUND or len(text.split()) <= 1:
        return path.suffix.lower() in SOUND
    try:
        return path.is_file()
    except OSError:  # too long for the name of a file
        return False


def _lines(stream: Iterable[str]) -> "Iterator[str | Audio]":
    """Turns from the keyboard; a file that cannot be heard is told and asked for again."""
    say("Ask, by a text or a file of sound; an empty line ends.")
    for line in stream:
        if not line.strip():
            return
        try:
            yield _asked(line.strip())
        except InputError as error:
            say(str(error))


def _chain(options: argparse.Namespace, root: Path, *, heard: bool) -> "Chain":
    """The self, with ears and voice as far as they are needed; by keyboard it goes on without them, which is told."""
    try:
        return _opened(options, root, speech=heard or options.say is not None or not options.asked)
    except RunError as error:
        if options.asked or options.say is not None:
            raise
        say(f"{error}; going on in text")
        return _opened(options, root, speech=False)


def _opened(options: argparse.Namespace, root: Path, *, speech: bool) -> "Chain":
    from twinloop.twins.person import paths
    from twinloop.twins.person.chain import open_self
    from twinloop.twins.person.people.folders import person

    if options.person is not None:
        return person(root, options.person).chain(speech=speech, mute=options.say is None)
    return open_self(root / paths.SELF, speech=speech, mute=options.say is None)


def _persona(own: "PersonaSettings", options: argparse.Namespace) -> "PersonaSettings":
    from twinloop.config import Invalid, parse
    from twinloop.dialogue.persona.settings import PersonaSettings

    moved = {slider: getattr(options, slider) for slider in SLIDERS if getattr(options, slider) is not None}
    try:
        return parse(PersonaSettings, dataclasses.asdict(own) | moved)
    except Invalid as error:
        raise InputError(f"talk: --{error}") from None


def _remember(chain: "Chain", turn: "Turn", name: str, root: Path) -> None:
    """Keep what was told to somebody with a folder for later conversations."""
    from twinloop.twins.person.people.folders import person

    if chain.own.memory is not None:
        person(root, name).remember(chain.own.memory)
        say(f"remembered {_short(turn.heard)}")


def _check_place(path: Path) -> None:
    """Raises InputError for a place where no recording can be: told before anybody has talked."""
    if path.suffix.lower() not in WRITTEN:
        raise InputError(f"talk: --say {path}: expected a file name that ends in {', '.join(WRITTEN)}")
    try:
        folder = next(one for one in path.absolute().parents if one.exists())
        reason = "it is a folder" if path.is_dir() else "" if folder.is_dir() else f"{folder} is no folder"
    except OSError as error:
        reason = str(error.strerror)
    if reason:
        raise InputError(f"talk: --say {path}: expected a file that can be written ({reason}): name another one")


def _write(path: Path, turns: "tuple[Turn, ...]") -> None:
    """All replies, one after the other. Raises RunError where they cannot be written."""
    import numpy as np

    from twinloop.dialogue.providers.protocols import Audio
    from twinloop.dialogue.speech.audio import RATE, resampled, write_audio

    spoken = [resampled(turn.audio, RATE).samples for turn in turns if turn.audio is not None]
    if not spoken:
        say(f"{path}: not written: nobody speaks here (person.providers.text_to_speech), or nothing was said")
        return
    try:
        write_audio(path, Audio(np.concatenate(spoken), RATE))
    except OSError as error:
        raise RunError(f"talk: --say {path}: cannot be written ({error.strerror}): name another one") from None
    say(f"wrote      {path}")


def _trace(root: Path, turn: "Turn") -> None:
    """Keep a turn where executions are recorded; where nothing is yet, a conversation does not make the store."""
    from twinloop.tracking.local import file_of
    from twinloop.tracking.store import address, open_store
    from twinloop.twins import configuration
    from twinloop.twins.person.traces import log_turn
    from twinloop.twins.person.twin import TWIN

    uri, home = os.environ.get("MLFLOW_TRACKING_URI"), configuration.main_root(root)
    where = address(uri, home)
    if where.startswith("sqlite:") and not file_of(where, home).is_file():
        return
    try:
        log_turn(open_store(uri, home), TWIN.name, turn)
    except TwinloopError as error:
        say(f"{error}; the conversation goes on untraced")
