"""Replications spread over processes: in chunks, on either engine, and back in the order of their numbers.

A chunk returns arrays, not objects, and is forgotten when its numbers are added up: memory does not grow with the
number of replications beyond their key figures. Chunks change nothing but time: a replication is a pure function.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import joblib
import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.simulation.events.kpi import KPIS
from twinloop.simulation.experiments.design import Backend, Engine
from twinloop.simulation.model.line import Line

if TYPE_CHECKING:
    from twinloop.simulation.experiments.experiment import Run

Floats = NDArray[np.float64]
T = TypeVar("T")
LONGEST_CHUNK = 100
CHUNKS_PER_WORKER = 32


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Of some replications in order: figures [n, KPIS], minutes [n, entities, STATES]."""

    figures: Floats
    minutes: Floats


@dataclass(frozen=True)
class Chunk:
    """Replications of one scenario that one process does in a row."""

    runs: "tuple[Run, ...]"
    engine: str

    def __call__(self) -> Outcomes:
        if self.engine == "compiled":
            from twinloop.simulation.compiled.run import outcomes

            done = outcomes(self.runs)
        else:
            done = [run() for run in self.runs]
        figures = np.array([[found[kpi] for kpi in KPIS] for found, _ in done])
        return Outcomes(figures, np.stack([minutes for _, minutes in done]))


def chosen_engine(line: Line, engine: Engine) -> str:
    """The engine that runs `line`: "simpy" or "compiled".

    Raises InputError when the compiled engine is asked for by name and refuses a feature of the line.
    """
    if engine == "simpy":
        return "simpy"
    from twinloop.simulation.compiled.features import check_known, refused

    if engine == "compiled":
        check_known(line)
    return "simpy" if refused(line) else "compiled"


def chunk_size(total: int, workers: int) -> int:
    """Replications per chunk: enough that sending them costs little, few enough that all workers end together."""
    return min(LONGEST_CHUNK, max(1, total // (CHUNKS_PER_WORKER * effective(workers))))


def effective(workers: int) -> int:
    """The number of processes that `workers` means; −1 is one per core."""
    return workers if workers > 0 else int(joblib.effective_n_jobs(workers))


def executed(tasks: Iterable[Callable[[], T]], *, workers: int, backend: Backend) -> Iterator[T]:
    """What the tasks return, in their order.

    Raises InputError when Dask is asked for and there is no client.
    """
    if backend == "processes" and effective(workers) == 1:
        yield from (task() for task in tasks)
        return
    with _dask() if backend == "dask" else nullcontext():
        # A Dask cluster decides itself how many work: those it has.
        parallel = joblib.Parallel(
            n_jobs=-1 if backend == "dask" else workers, return_as="generator", batch_size=1, pre_dispatch="3*n_jobs"
        )
        # A function, because joblib's Dask backend puts what it calls in a set, and tasks hold what has no hash.
        yield from parallel(joblib.delayed(_done)(task) for task in tasks)


def _done(task: Callable[[], T]) -> T:
    return task()


def _dask() -> Any:
    remedy = "expected a client of a Dask cluster: pip install twinloop[dask], then Client(LocalCluster(...))"
    try:
        from distributed import get_client

        get_client()
    except (ImportError, ValueError) as error:
        raise InputError(f"simulate: backend = 'dask': {remedy} ({str(error).splitlines()[0]})") from None
    return joblib.parallel_config(backend="dask")
