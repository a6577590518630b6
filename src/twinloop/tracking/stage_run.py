"""A stage's run below its execution's row: live figures while it works, final figures from its metrics JSON.

A stage never fails, and never loses a figure, because the store went away after it began: the metrics JSON stands and
the record stage sends it later.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinloop.errors import RunError
from twinloop.progress import say
from twinloop.tracking import flat, view
from twinloop.tracking.client import quietly, send
from twinloop.tracking.execution import PARENT, Execution, find_or_create
from twinloop.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities import Metric

FLUSH_EVERY_S = 2.0
# What a server with accounts answers, by MLflow's names of it.
ACCOUNTS = {
    "UNAUTHENTICATED": "it does not know the account: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
    "PERMISSION_DENIED": "the account may not do this: ask who runs the server for EDIT or MANAGE on the experiment",
}


class StageRun:
    """A `Tracker`. `lost` says that the store went away; from then on nothing more is sent."""

    def __init__(self, store: Store, execution: Execution, *, stage: str, run_id: str) -> None:
        self.store, self.execution, self.stage, self.run_id = store, execution, stage, run_id
        self.lost = False
        self._pending: list[Metric] = []
        self._children: dict[str, str] = {}
        self._flushed = time.monotonic()

    def log(self, metrics: Mapping[str, float], *, step: int) -> None:
        """Figures of one epoch or step; sent every two seconds and at the end."""
        self._pending += entities(metrics, step=step)
        if time.monotonic() - self._flushed >= FLUSH_EVERY_S:
            self._unless_lost(self._flush)

    def child(
        self,
        name: str,
        *,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """One finished trial or scenario, as a run below the stage's run; of the same name again, more about it."""

        def make() -> None:
            client = self.store.client
            known = self._children.get(name)
            if known is None:
                own = {PARENT: self.run_id, "stage": self.stage, view.LEVEL: view.PART}
                known = client.create_run(self.execution.experiment_id, run_name=name, tags=own).info.run_id
                self._children[name] = known
            send(client, known, metrics=entities(metrics), params=flat.params(params), tags=tags)
            client.set_terminated(known)

        self._unless_lost(make)

    def artifact(self, path: Path) -> None:
        """A file worth keeping that is no output, such as a profile."""
        self._unless_lost(lambda: self.store.client.log_artifact(self.run_id, str(path)))

    def finish(self, metrics_json: Path | None = None) -> None:
        """Send the stage's final figures. None: a stage without metrics (record).

        Raises RunError for a file that is missing or no flat JSON object.
        """
        values = flat.stage_metrics(metrics_json) if metrics_json else {}
        self._pending += entities(flat.numbers(values))
        self._unless_lost(lambda: self._flush(tags=flat.texts(values)))

    def end(self, status: str) -> None:
        """Close the run with MLflow's `status`, and the row with it where the stage did not finish."""

        def close() -> None:
            self._flush()
            self.store.client.set_terminated(self.run_id, status)
            if status != "FINISHED":
                self.store.client.set_terminated(self.execution.run_id, status)

        self._unless_lost(close)

    def _flush(self, *, tags: Mapping[str, str] | None = None) -> None:
        send(self.store.client, self.run_id, metrics=self._pending, tags=tags)
        self._pending, self._flushed = [], time.monotonic()

    def _unless_lost(self, action: Callable[[], None]) -> None:
        if self.lost:
            return
        try:
            action()
        except store_faults() as error:
            self.lost = True
            say(
                f"{self.execution.twin} {self.stage}: warning: the MLflow store went away ({reason(error)}); "
                f"the stage goes on, `dvc repro {self.execution.twin}-record` sends its figures later"
            )


def store_of(tracker: object) -> tuple[Store, Execution]:
    """Store and execution behind a tracker, for a record stage. Raises TypeError for a tracker without a store."""
    if not isinstance(tracker, StageRun):
        raise TypeError(f"the record stage needs the store's tracker, got {type(tracker).__name__}")
    return tracker.store, tracker.execution


@contextlib.contextmanager
def stage_run(
    store: Store,
    *,
    twin: str,
    stage: str,
    execution_key: str,
    params: Mapping[str, Any],
    tags: Mapping[str, str],
    system_metrics: bool = False,
) -> Iterator[StageRun]:
    """Begin a stage's run and give its tracker; end it as finished, failed or killed.

    params: the sections of params.yaml the stage reads. tags: of the execution's row, if this stage is its first.
    system_metrics: processor, memory, disk, network and NVIDIA GPU are measured beside it, as metrics system/….
    Raises RunError where the run cannot begin.
    """
    try:
        execution = find_or_create(store, twin=twin, key=execution_key, tags=tags)
        _kill_leftovers(store, execution, stage)
        own = {PARENT: execution.run_id, "stage": stage, view.LEVEL: view.STAGE}
        run_id = store.client.create_run(execution.experiment_id, run_name=stage, tags=own).info.run_id
        send(store.client, run_id, params=flat.params(params))
        store.client.update_run(execution.run_id, status="RUNNING")
    except store_faults() as error:
        raise RunError(f"{twin} {stage}: the MLflow store refuses a new run: {reason(error)}") from None
    run = StageRun(store, execution, stage=stage, run_id=run_id)
    try:
        with _measured(store, run_id) if system_metrics else contextlib.nullcontext():
            yield run
    except KeyboardInterrupt:
        run.end("KILLED")
        raise
    except BaseException:
        run.end("FAILED")
        raise
    run.end("FINISHED")


@contextlib.contextmanager
def _measured(store: Store, run_id: str) -> Iterator[None]:
    # MLflow's own monitor; MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL changes its ten seconds.
    with quietly():
        from mlflow.system_metrics import system_metrics_monitor

        untyped: Any = system_metrics_monitor
        monitor = untyped.SystemMetricsMonitor(run_id, tracking_uri=store.uri)
        monitor.start()
    try:
        yield
    finally:
        monitor.finish()


def unfinished(store: Store, execution: Execution) -> dict[str, str]:
    """Stage runs of the row that are still open, run id → stage."""
    below = f"tags.`{PARENT}` = '{execution.run_id}' and attributes.status = 'RUNNING'"
    found = store.client.search_runs([execution.experiment_id], filter_string=below)
    return {run.info.run_id: run.data.tags.get("stage", "") for run in found}


def _kill_leftovers(store: Store, execution: Execution, stage: str) -> None:
    # DVC never runs a stage of one execution twice at once, so an open run is one whose process was killed.
    for run_id, its_stage in unfinished(store, execution).items():
        if its_stage == stage:
            store.client.set_terminated(run_id, "KILLED")


def entities(values: Mapping[str, float], *, step: int = 0) -> "list[Metric]":
    """MLflow's metrics, taken now."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [Metric(flat.name(key), float(value), now, step) for key, value in values.items()]


def store_faults() -> tuple[type[Exception], ...]:
    """What MLflow's client raises where the store refuses or does not answer."""
    from mlflow.exceptions import MlflowException

    return MlflowException, OSError


def reason(error: Exception) -> str:
    """The first line of a fault, shortened; of an account that the server does not take, what to do about it."""
    if (told := ACCOUNTS.get(getattr(error, "error_code", ""))) is not None:
        return told
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return line if len(line) <= 160 else line[:159] + "…"
