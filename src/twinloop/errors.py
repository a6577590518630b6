"""The project's own error types: one clear line for the user, an exit status for the shell.

A message says what was expected, what came, where, and what to do next. Whatever a file or an override put into it, it
stays one line of at most 300 characters: control characters become spaces, and what is too long loses its middle, so
that the place (in front) and the remedy (at the end) remain. Anything else that escapes a stage is a bug and keeps its
traceback.
"""

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 300
LONGEST_NAME = 80
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
    guess = near(name, known)
    return f"did you mean {guess!r}?" if guess is not None else f"known: {', '.join(known) or 'none'}"


def near(name: str, known: Iterable[str]) -> str | None:
    """The known name that differs by so few letters that it was probably meant; None where none is that near.

    One letter left out, added, changed or swapped with its neighbour, two in names of six letters and more (Damerau
    1964), or words behind it left out or added; capitals and the sign between words do not count.

    >>> near("weldng", ["press", "welding"]), near("mill", ["drill"])
    ('welding', None)
    """
    given, known = _letters(name), list(known)
    if len(given) > LONGEST_NAME:
        return None
    begun = [o for o in known if given == _letters(o) or _begins(given, _letters(o)) or _begins(_letters(o), given)]
    if begun:
        return begun[0]
    distances = {other: _distance(given, _letters(other)) for other in known if len(other) <= LONGEST_NAME}
    guess = min(distances, key=lambda other: distances[other], default=None)
    longer = max(len(given), len(guess or ""))
    return guess if guess is not None and distances[guess] <= (2 if longer >= 6 else 1 if longer >= 3 else 0) else None


def _begins(short: str, long: str) -> bool:
    rest = long.removeprefix(short)
    return len(short) >= 4 and rest != long and rest != "" and (rest[0] == "_" or len(rest) <= 2)


def _letters(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def _distance(a: str, b: str) -> int:
    """Letters to change, add, leave out or swap; 9 where the lengths alone are too different."""
    if abs(len(a) - len(b)) > 2:
        return 9
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, start=1):
        row = [i]
        for j, y in enumerate(b, start=1):
            row.append(min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (x != y)))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                row[-1] = min(row[-1], rows[-2][j - 2] + 1)
        rows.append(row)
    return rows[-1][-1]


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
