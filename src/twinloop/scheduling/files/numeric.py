"""Rows of whole numbers with prose in front: what the benchmark collections have in common.

Prose comes before the numbers and has a word in it, so that a broken row is never taken for prose; between rows only
titles of sections may stand. `#` begins a comment anywhere.
"""

import re
from pathlib import Path
from typing import NamedTuple

from twinloop.errors import InputError

MOST = 100_000
WORD = re.compile(r"[^\W\d_]{3,}")
RULE = re.compile(r"[+*=_\-]{3,}")
WHOLE = re.compile(r"(-?\d{1,40})(?:\.0+)?", re.ASCII)


class Row(NamedTuple):
    """The numbers of one line."""

    line: int
    numbers: tuple[int, ...]


class Document(NamedTuple):
    """`sizes`: the numbers of the first row as written. `titles`: by index of the row that they stand before.

    heading: the prose before the first row.
    """

    path: Path
    heading: str
    line: int
    sizes: tuple[str, ...]
    rows: tuple[Row, ...]
    titles: tuple[tuple[int, str], ...]

    @property
    def numbers(self) -> int:
        """How many numbers follow the first row."""
        return sum(len(row.numbers) for row in self.rows)

    def at(self, line: int) -> str:
        """A place, for messages."""
        return f"{self.path}:{line}"


def document(text: str, path: Path) -> Document:
    """The rows of a text. Raises InputError with file:row."""
    heading: list[str] = []
    sizes: tuple[str, ...] = ()
    first = 1
    rows: list[Row] = []
    titles: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words or (len(words) == 1 and RULE.fullmatch(words[0])):
            continue
        numeric = all(re.fullmatch(r"-?[\d.]+", word, re.ASCII) for word in words)
        if not numeric and not sizes:
            if not WORD.search(line):
                raise InputError(f"{path}:{number}: expected whole numbers, got {' '.join(words)[:60]!r}")
            heading.append(line.strip())
        elif not sizes:
            sizes, first = tuple(words), number
        elif not numeric and WORD.match(words[0]) and not any(c.isdigit() for c in line.partition(":")[0]):
            titles.append((len(rows), " ".join(words).lower()))
        else:
            rows.append(Row(number, _whole(words, f"{path}:{number}")))
    if not sizes:
        found = "an empty file" if not heading else f"only prose ({heading[0][:40]!r})"
        raise InputError(f"{path}:1: expected a first line 'jobs machines', got {found}")
    instances = [title for _, title in titles if title.startswith(("instance", "number of jobs", "nb of jobs"))]
    if instances:
        raise InputError(f"{path}: holds {1 + len(instances)} instances: keep one of them in a file of its own")
    return Document(path, "\n".join(heading), first, sizes, tuple(rows), tuple(titles))


def counts(doc: Document) -> tuple[int, int]:
    """(jobs, machines) of the first row. Raises InputError."""
    shown = " ".join(doc.sizes)[:60]
    matches = [WHOLE.fullmatch(word) for word in doc.sizes[:2]]
    sizes = [int(match[1]) for match in matches if match]
    if len(sizes) != 2 or min(sizes) < 1:
        raise InputError(f"{doc.at(doc.line)}: expected two numbers ≥ 1, 'jobs machines', got {shown!r}")
    if max(sizes) > MOST:
        raise InputError(f"{doc.at(doc.line)}: expected at most {MOST} jobs and machines, got {shown!r}")
    return sizes[0], sizes[1]


def _whole(words: list[str], where: str) -> tuple[int, ...]:
    numbers = []
    for word in words:
        match = WHOLE.fullmatch(word)
        if match is None:
            fraction = re.fullmatch(r"-?\d+\.\d+", word, re.ASCII)
            remedy = ": multiply all durations so that they are whole" if fraction else ""
            raise InputError(f"{where}: expected whole numbers, got {' '.join(words)[:60]!r}{remedy}")
        numbers.append(int(match[1]))
    return tuple(numbers)
