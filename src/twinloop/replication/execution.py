"""Tasks spread over processes or a cluster: in chunks, and back in the order they were given.

Chunks change nothing but time: a replication is a pure function. Results come back one by one, so that memory does not
grow with what is not kept.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Any, TypeVar

import joblib

from twinloop.errors import InputError
from twinloop.replication.design import Backend

T = TypeVar("T")
LONGEST_CHUNK = 100
CHUNKS_PER_WORKER = 32


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
        raise InputError(f"Design.backend = 'dask': {remedy} ({str(error).splitlines()[0]})") from None
    return joblib.parallel_config(backend="dask")
