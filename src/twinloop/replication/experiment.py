"""Systems side by side: the same replications, the same luck, in as many processes as there are.

Results are put together in the order of the replications' numbers: one worker or eight, the tables are the same bytes.
A chunk is forgotten when its numbers are added up: memory does not grow beyond the key figures.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError, unknown
from twinloop.progress import bar
from twinloop.replication.design import Design
from twinloop.replication.execution import chunk_size, executed
from twinloop.replication.kpi import Kpis
from twinloop.replication.result import Result
from twinloop.replication.system import Outcomes, System

Floats = NDArray[np.float64]


def run(systems: Sequence[System], design: Design, kpis: Kpis) -> dict[str, Result]:
    """Results by system name, with a bar that shows how far it is; see `replicated`.

    With a `precision` all systems go on until the last has reached it: their replications stay paired.
    """
    each = sum(2 if system.estimate else 1 for system in systems)
    with bar("replication", each * design.most) as shown:
        return replicated(systems, design, kpis, step=shown.step)


def replicated(
    systems: Sequence[System], design: Design, kpis: Kpis, *, step: Callable[[int], None] | None = None
) -> dict[str, Result]:
    """Results by system name; `step` is given how many replications are done.

    Raises InputError for two systems of one name, for a precision of a key figure that is not in the table, and for a
    run that leaves one out.
    """
    names = [system.name for system in systems]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"expected different scenario names, {twice[0]!r} comes twice: rename one")
    if design.precision_of is not None and design.precision_of not in kpis:
        raise unknown(f"{type(design).__name__}.precision_of", design.precision_of, kpis)
    if design.spread:
        for system in systems:
            system.prepare()
    gathered = [_Gathered(system, design, kpis) for system in systems]
    end = design.first + design.most
    for start in range(design.first, end, design.replications):
        _add(gathered, design, range(start, min(start + design.replications, end)), step)
        results = {one.system.name: one.result() for one in gathered}
        if all(result.reached for result in results.values()):
            break
    return results


class _Gathered:
    """What is known of one system so far: figures row by row, the profile as a running sum."""

    def __init__(self, system: System, design: Design, kpis: Kpis) -> None:
        self.system, self.design, self.kpis = system, design, kpis
        self.kinds = (True, False) if system.estimate else (True,)
        self._figures: dict[bool, list[Floats]] = {drawn: [] for drawn in self.kinds}
        self._asides: list[Mapping[str, Floats]] = []
        self._profile: Floats | None = None

    def add(self, outcomes: Outcomes, *, drawn: bool) -> None:
        self._figures[drawn].append(outcomes.figures)
        if drawn:
            self._asides.append(outcomes.asides)
        if drawn and outcomes.profile is not None:
            if self._profile is None:
                self._profile = np.zeros(outcomes.profile.shape[1:])
            for profile in outcomes.profile:
                self._profile += profile

    def result(self) -> Result:
        replications = self._table(drawn=True)
        return Result(
            name=self.system.name,
            design=self.design,
            kpis=self.kpis,
            replications=replications,
            estimate=self._table(drawn=False) if False in self.kinds else None,
            profile=None if self._profile is None else self._profile / len(replications),
            asides={name: np.concatenate([chunk[name] for chunk in self._asides]) for name in self._asides[0]},
        )

    def _table(self, *, drawn: bool) -> pl.DataFrame:
        figures = np.concatenate(self._figures[drawn])
        numbers = range(self.design.first, self.design.first + len(figures))
        columns = {kpi: figures[:, place] for place, kpi in enumerate(self.kpis)}
        return pl.DataFrame({"replication": list(numbers), **columns})


def _add(gathered: Sequence[_Gathered], design: Design, numbers: range, step: Callable[[int], None] | None) -> None:
    size = chunk_size(len(numbers) * sum(len(one.kinds) for one in gathered), design.workers)
    parts = [range(start, min(start + size, numbers.stop)) for start in range(numbers.start, numbers.stop, size)]
    plan = [(one, drawn, part) for one in gathered for drawn in one.kinds for part in parts]
    chunks = (one.system.chunk(part, one.kpis, drawn=drawn) for one, drawn, part in plan)
    done = executed(chunks, workers=design.workers, backend=design.backend)
    for (one, drawn, part), outcomes in zip(plan, done, strict=True):
        one.add(outcomes, drawn=drawn)
        if step is not None:
            step(len(part))
