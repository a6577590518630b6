"""The project's own error types: one clear line for the user, an exit status for the shell.

A message says what was expected, what came, where, and what to do next. Anything else that
escapes a stage is a bug and keeps its traceback.
"""

import difflib
from collections.abc import Iterable


class TwinloopError(Exception):
    """Base of every error that is shown as one line."""

    exit_code = 1


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
