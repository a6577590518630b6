"""The project's own error types: one clear line for the user, an exit status for the shell.

A message says what was expected, what came, where, and what to do next. Whatever a file or an override put into it, it
stays one line of at most 300 characters: control characters become spaces, and what is too long loses its middle, so
that the place (in front) and the remedy (at the end) remain. Anything else that escapes a stage is a bug and keeps its
traceback.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable

LONGEST = 300
# user:password@ of an address, and what a query calls a secret.
PASSWORD = re.compile(r"(?<=://)([^\s/:@]*):\S+@")
SECRET = re.compile(r"([?&](?:password|passwd|pwd|token|secret|access_key|sig)=)[^&\s)]+", re.IGNORECASE)


class TwinloopError(Exception):
    """Base of every error that is shown as one line."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class InputError(TwinloopError):
    """What the user gave (configuration, data, command line) cannot be used. Exit status 2."""

    exit_code = 2


class RunError(TwinloopError):
    """A run had to stop although its input was well formed. Exit status 1."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, or all of them.

    >>> nearest("weldin", ["press", "welding"])
    "did you mean 'welding'?"
    """
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known) or 'none'}"


def unknown(where: str, name: str, known: Iterable[str]) -> InputError:
    """The error for a name that does not exist, with the nearest that does."""
    return InputError(f"{where}: unknown name {name!r}; {nearest(name, known)}")


def masked(text: str) -> str:
    """`text` with the passwords of the addresses in it left out.

    >>> masked("postgresql://ann:hunter2@db/study")
    'postgresql://ann:***@db/study'
    """
    return SECRET.sub(r"\1***", PASSWORD.sub(r"\1:***@", text))


def one_line(text: str) -> str:
    """`text` without line breaks and control characters, its middle left out where it is longer than 300.

    >>> one_line("two\\nlines")
    'two lines'
    """
    # C…: controls, direction marks, halves of characters, characters of no meaning; Zl and Zp: line separators.
    kinds = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    shown = "".join(" " if unicodedata.category(c) in kinds else c for c in text[:100_000])
    shown = masked(" ".join(shown.split()))
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 121]} … {shown[-118:]}"
