"""Speech synthesis by a program of this machine: argument lists without a shell, the text by a file, a time limit."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from twinloop.dialogue.providers.protocols import Audio, ProviderError
from twinloop.dialogue.speech.audio import RATE, read_audio
from twinloop.errors import InputError, RunError

LONGEST_TEXT = 20_000


def installed(program: str, package: str) -> str:
    """The path of a program. Raises RunError, saying what to install, where it is missing."""
    path = shutil.which(program)
    if path is None:
        raise RunError(
            f"voices: {program} is not installed: install the package {package} (apt-get install {package}), or go on "
            "without speech: the chain runs on text too"
        )
    return path


def synthesised(command: list[str], text: str, *, timeout_s: float, name: str, rate: int = RATE) -> Audio:
    """What a program makes of a text at `rate` Hz.

    command: with {text} and {sound} where the names of the files are to stand. Raises InputError for a text without a
    word or beyond 20 000 characters, ProviderError where the program fails or is late.
    """
    if not any(sign.isalnum() for sign in text):
        raise InputError(f"voices: {name}: expected a text with at least one word, got {text[:40]!r}: nothing to say")
    if len(text) > LONGEST_TEXT:
        raise InputError(
            f"voices: {name}: expected at most {LONGEST_TEXT} characters, got {len(text)}: speak it in parts"
        )
    with tempfile.TemporaryDirectory() as folder:
        written, sound = Path(folder) / "text.txt", Path(folder) / "sound.wav"
        written.write_text(text, encoding="utf-8")
        places = {"{text}": str(written), "{sound}": str(sound)}
        run([places.get(argument, argument) for argument in command], timeout_s=timeout_s, name=name)
        if not sound.is_file():
            raise ProviderError(f"voices: {name}: made no sound of the text")
        try:
            return read_audio(sound, rate=rate).audio
        except InputError as error:
            raise ProviderError(f"voices: {name}: {error}") from None


def run(command: list[str], *, timeout_s: float, name: str) -> str:
    """What a program prints. Raises ProviderError where it fails or is late."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=True, errors="replace"
        )
    except subprocess.TimeoutExpired:
        raise ProviderError(f"voices: {name}: no answer within {timeout_s:g} s") from None
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines()
        reason = said[-1] if said else f"exit status {error.returncode}"
        raise ProviderError(f"voices: {name}: failed ({reason})") from None
    except OSError as error:
        raise ProviderError(f"voices: {name}: cannot be started ({error.strerror})") from None
    return done.stdout
