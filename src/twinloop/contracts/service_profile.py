"""What every part of a service took, turn by turn: what a simulation of many users is fed with.

One row holds the seconds of all components of a turn *together*: a turn that is long in one is long in the others, and
independent marginals get the high percentiles of the whole wrong. A bootstrap draw takes rows with replacement, so one
draw per replication carries what is not known of all components jointly. Times hold for the machine, the providers and
the index that they were measured with, so the profile names them. Measured time never enters what must be reproducible:
a profile is an input that is pinned, as a latency is.
"""

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.contracts import versioned
from twinloop.errors import InputError, unknown

KIND, VERSION = "service profile", 1
REMEDY = "measure the service again"
SCHEMA = {"words": pl.Int64, "audio_s": pl.Float64, "cached": pl.Boolean}
CPU, WAITING = "cpu_s", "waiting_s"
DIGEST = re.compile(r"\w{64}")
# Columns that a message names.
SHOWN = 4
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Origin:
    """What a profile was measured on and with.

    machine: a name that tells machines apart. cores: that the service could use. providers: role → digest. index:
    digest of what is searched, empty where nothing is.
    """

    machine: str
    cores: int
    providers: Mapping[str, str]
    index: str = ""

    def differences(self, here: "Origin") -> dict[str, str]:
        """Name → what differs from `here`, in words; names are machine, cores, index, and the roles of providers."""
        mine, theirs = self._named(), here._named()
        return {
            name: f"{name} {_short(mine.get(name))}, here {_short(theirs.get(name))}"
            for name in {**mine, **theirs}
            if mine.get(name) != theirs.get(name)
        }

    def _named(self) -> dict[str, object]:
        return {"machine": self.machine, "cores": self.cores, "index": self.index, **self.providers}


@dataclass(frozen=True)
class _Header:
    """What a profile's file holds beside its turns."""

    components: tuple[str, ...]
    origin: Origin
    memory_gib: float
    batches: dict[str, dict[int, float]]
    draws: int
    seed: int


@dataclass(frozen=True, eq=False)
class ServiceProfile:
    """Measured turns of a service.

    turns: one row each with words, audio_s, cached, and two columns for each component, `{component}_cpu_s` (seconds
    that a core was busy) and `{component}_waiting_s` (seconds that it only waited, as for another machine).
    components: in the order in which a turn goes through them.
    batches: component → number of turns worked on together → seconds of the whole batch; empty for those without.
    memory_gib: of one worker. draws: bootstrap draws over turns, of the luck of `seed`.

    Raises InputError for what contradicts itself, and for a value that is no time.
    """

    turns: pl.DataFrame
    components: tuple[str, ...]
    origin: Origin
    memory_gib: float
    batches: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    draws: int = 200
    seed: int = 1

    def __post_init__(self) -> None:
        self._check_table()
        self._check_values()
        for component, sizes in self.batches.items():
            if component not in self.components:
                raise unknown(f"{KIND}: batches: component", component, self.components)
            for size, seconds in sizes.items():
                if size < 1 or not (math.isfinite(seconds) and seconds > 0):
                    raise InputError(
                        f"{KIND}: batches: {component}: expected sizes from 1 and seconds > 0, "
                        f"got {size}: {seconds:g}: {REMEDY}"
                    )
        problems = {
            "cores from 1": self.origin.cores >= 1,
            "memory_gib > 0": math.isfinite(self.memory_gib) and self.memory_gib > 0,
            "draws ≥ 0": self.draws >= 0,
            "seed ≥ 0": self.seed >= 0,
            "a digest of every provider": all(self.origin.providers.values()),
        }
        broken = [expected for expected, holds in problems.items() if not holds]
        if broken:
            raise InputError(f"{KIND}: expected {' and '.join(broken)}: {REMEDY}")

    def _check_table(self) -> None:
        if not self.components or len(set(self.components)) < len(self.components):
            raise InputError(f"{KIND}: expected different components, got {', '.join(self.components) or 'none'}")
        expected = SCHEMA | {name: pl.Float64() for name in _columns(self.components)}
        given = dict(self.turns.schema)
        if given != expected:
            lacking, beyond = _beyond(expected, given), _beyond(given, expected)
            raise InputError(
                f"{KIND}: expected {lacking or 'no more columns'}, got {beyond or 'no such column'}: {REMEDY}"
            )
        if self.turns.is_empty():
            raise InputError(f"{KIND}: expected at least one measured turn, got none: {REMEDY}")

    def _check_values(self) -> None:
        for name in self.turns.columns:
            column = self.turns[name]
            if column.null_count():
                raise InputError(f"{KIND}: turn {column.is_null().arg_max()}: {name} is missing: {REMEDY}")
            if column.dtype == pl.Boolean:
                continue
            bad = ~(column.is_finite() & (column >= 0)) if column.dtype == pl.Float64 else column < 0
            if bad.any():
                row = bad.arg_max() or 0
                raise InputError(
                    f"{KIND}: turn {row}: {name} = {column[row]:g}: expected a finite number ≥ 0: {REMEDY}"
                )

    def __len__(self) -> int:
        return len(self.turns)

    def rows(self, draw: int = 0) -> NDArray[np.int64]:
        """[turns] numbers of the turns in a draw: 0 is what was measured, 1 to `draws` with replacement.

        Raises InputError for a draw that does not exist.
        """
        count = len(self.turns)
        if not 0 <= draw <= self.draws:
            raise InputError(f"{KIND}: draw {draw}: expected 0 (as measured) to {self.draws}")
        if draw == 0:
            return np.arange(count, dtype=np.int64)
        return np.random.default_rng([self.seed, draw]).integers(count, size=count)

    def cpu_s(self, draw: int = 0) -> Floats:
        """[turns, components] seconds that a core was busy with each."""
        return self._seconds(CPU, draw)

    def waiting_s(self, draw: int = 0) -> Floats:
        """[turns, components] seconds that each only waited."""
        return self._seconds(WAITING, draw)

    def _seconds(self, kind: str, draw: int) -> Floats:
        columns = [self.turns[f"{component}_{kind}"].to_numpy() for component in self.components]
        return np.stack(columns, axis=1)[self.rows(draw)]

    def accepted(self, here: Origin, *, allowed: Collection[str] = ()) -> tuple[str, ...]:
        """What differs from `here` and is allowed by name, in words: nothing where nothing differs.

        allowed: machine, cores, index, or roles of providers. Raises InputError for any other difference, and for a
        name that says nothing.
        """
        names = [*self.origin._named(), *here.providers]
        for name in allowed:
            if name not in names:
                raise unknown(f"{KIND}: allowed", name, names)
        differences = self.origin.differences(here)
        refused = [name for name in differences if name not in allowed]
        if refused:
            shown = "; ".join(differences[name] for name in refused[:2])
            more = f"; and {', '.join(refused[2:])}" if refused[2:] else ""
            raise InputError(f"{KIND}: measured elsewhere: {shown}{more}: {REMEDY}, or allow {', '.join(refused)}")
        return tuple(differences.values())

    def save(self, path: str | Path) -> None:
        """Write Parquet."""
        header = {
            "components": self.components,
            "origin": asdict(self.origin) | {"providers": dict(self.origin.providers)},
            "memory_gib": self.memory_gib,
            "batches": {component: dict(sizes) for component, sizes in self.batches.items()},
            "draws": self.draws,
            "seed": self.seed,
        }
        versioned.write(self.turns, path, kind=KIND, version=VERSION, header=header)

    @classmethod
    def load(cls, path: str | Path) -> "ServiceProfile":
        """Read what `save` wrote. Raises InputError for a file of another kind or version, or altered."""
        frame, given = versioned.read(path, kind=KIND, version=VERSION, remedy=REMEDY)
        header = versioned.parsed(_Header, given, path, kind=KIND, remedy=REMEDY)
        return cls(
            frame, header.components, header.origin, header.memory_gib, header.batches, header.draws, header.seed
        )


def _columns(components: tuple[str, ...]) -> Iterator[str]:
    for component in components:
        yield f"{component}_{CPU}"
        yield f"{component}_{WAITING}"


def _beyond(some: Mapping[str, object], others: Mapping[str, object]) -> str:
    """The columns that others lack or hold as another dtype, the first few by name."""
    names = [f"{name} {dtype}" for name, dtype in some.items() if others.get(name) != dtype]
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if names[SHOWN:] else "")


def _short(value: object) -> str:
    """A name as it is, as machines may differ in its last word; of a digest its beginning."""
    text = str(value) if value not in (None, "") else "none"
    return f"{text[:12]}…" if DIGEST.fullmatch(text) else text
