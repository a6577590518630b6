"""A search by Optuna that repeats itself: same inputs, same trials, whatever the number of workers and however it died.

Trials are asked and told in rounds of fixed size, in order, each with its own sampler seed; pruning sees finished
rounds only. Every trial runs in its own process, which speaks to the parent through a pipe: the parent alone writes
the study, and requeues a trial whose process was killed. With a database address several machines share one study;
then heartbeats tell the dead from the living, and the order (so the result) is theirs.
"""

import fcntl
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy.exc
from numpy.random import SeedSequence
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from twinloop.databases import one_at_a_time
from twinloop.errors import InputError, RunError
from twinloop.files import fingerprint
from twinloop.learning.rounds import Objective, Outcome, run_round
from twinloop.learning.settings import Dimension, StudySettings
from twinloop.learning.space import distribution
from twinloop.progress import bar, say

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
POLL_S = 0.5
SQLITE_PATIENCE_S = 60


@dataclass(frozen=True)
class Tried:
    """One finished trial: `value` is its score, None if it was pruned or its loss diverged (`reason` says which).

    costs: what else was measured of it, the less the better.
    """

    number: int
    values: dict[str, Any]
    value: float | None
    reason: str
    steps: int
    costs: tuple[float, ...] = ()


@dataclass(frozen=True)
class Search:
    """All finished trials in order of their numbers, and the one that is chosen.

    front: the trials that no other beats in one objective without being worse in another; of one objective the best.
    """

    trials: tuple[Tried, ...]
    best: Tried
    front: tuple[Tried, ...]

    @property
    def pruned(self) -> int:
        return sum(trial.value is None for trial in self.trials)


def search(
    objective: Objective,
    space: Mapping[str, Dimension],
    *,
    settings: StudySettings,
    name: str,
    inputs: Any,
    seed: int,
    database: Path,
    workers: int,
    start: Mapping[str, Any] | None = None,
    score: str = "score",
    costs: int = 0,
    choose: Callable[[tuple[Tried, ...]], Tried] | None = None,
    preload: tuple[str, ...] = (),
    on_trial: Callable[[Tried], None] | None = None,
) -> Search:
    """Maximise `objective(values, report)` over `space` with `settings.trials` finished trials.

    objective: picklable; calls report(step, value) as it goes, which ends a trial that is not worth finishing. Beside
    its score it may return `costs` numbers to be minimised; then no trial is ended early, and `choose` picks one of
    the front (None: the best score). What it raises leaves the study's trials in place for a rerun.
    inputs: whatever else decides the result (JSON-like); with the space it names the study, so a change of either
    starts a new one, and says so. database: SQLite file for a study of this machine. start: values tried first.
    preload: modules that the trials' processes share, imported once. on_trial: told each finished trial, in order.
    Raises RunError if no trial finishes or a trial's process keeps dying.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    title = f"{name}-{fingerprint([{key: asdict(value) for key, value in space.items()}, inputs, seed, costs])[:12]}"
    with _opened(settings, database=database, title=title, name=name, costs=costs) as (study, storage):
        first = {key: value for key, value in (start or {}).items() if key in space and space[key].holds(value)}
        if first and not study.get_trials(deepcopy=False):
            study.enqueue_trial(first)
        runner = _Runner(study, storage, settings=settings, seed=seed)
        runner.distributions = {key: distribution(dimension) for key, dimension in space.items()}
        with bar("trial", settings.trials) as shown:
            told = 0
            while True:
                done = finished_trials(study)
                for trial in done[told:]:
                    if on_trial is not None:
                        on_trial(trial)
                if len(done) > told:
                    shown.step(len(done) - told, note=_note(done, score))
                told = len(done)
                if told >= settings.trials:
                    break
                asked = runner.ask(told)
                if not asked:
                    time.sleep(POLL_S)
                    continue
                outcomes = run_round(
                    objective, asked, workers=workers, preload=preload, beat=runner.beat, requeue=runner.requeue
                )
                for trial_, outcome in outcomes:
                    _tell(study, trial_, outcome)
        front = _front(study, done)
        best = choose(front) if choose is not None else max(front, key=lambda trial: (trial.value, -trial.number))
        study.set_user_attr("finished", True)
    return Search(trials=done, best=best, front=front)


def finished_trials(study: optuna.Study) -> tuple[Tried, ...]:
    """Every trial that ran to its end or was pruned."""
    return tuple(
        Tried(
            number=trial.number,
            values=dict(trial.params),
            value=trial.values[0] if trial.values and trial.state is TrialState.COMPLETE else None,
            reason=trial.user_attrs.get("reason", "pruned") if trial.state is TrialState.PRUNED else "",
            steps=trial.user_attrs.get("steps", 0),
            costs=tuple(trial.values[1:]) if trial.values and trial.state is TrialState.COMPLETE else (),
        )
        for trial in study.get_trials(deepcopy=False, states=FINISHED)
    )


class _Runner:
    """Asks for trials in rounds and keeps those that run alive in the eyes of others."""

    distributions: dict[str, optuna.distributions.BaseDistribution]

    def __init__(self, study: optuna.Study, storage: RDBStorage, *, settings: StudySettings, seed: int) -> None:
        self.study, self.storage, self.settings, self.seed = study, storage, settings, seed
        self.retry = _retry(settings.retries)
        self._last_beat = 0.0

    def ask(self, finished: int) -> list[optuna.Trial]:
        """The trials of the next round; none while others work on all that are left."""
        running = 0
        if self.settings.storage:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                optuna.storages.fail_stale_trials(self.study)
            running = len(self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)))
        # A round cut short by a kill is completed first, so that all later ones are asked at the same points.
        size = self.settings.batch - (0 if self.settings.storage else finished % self.settings.batch)
        count = min(size, self.settings.trials - finished - running)
        asked = [self._ask(finished + running + place) for place in range(count)]
        return [trial for trial in asked if not self._surplus(trial)]

    def _surplus(self, trial: optuna.Trial) -> bool:
        """Gives a trial back that others asked for at the same moment: the lowest numbers count."""
        alive = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING, *FINISHED))
        if sum(other.number < trial.number for other in alive) < self.settings.trials:
            return False
        self.study.tell(trial, state=TrialState.FAIL)
        return True

    def _ask(self, slot: int) -> optuna.Trial:
        state = int(SeedSequence(self.seed, spawn_key=(slot,)).generate_state(1)[0])
        self.study.sampler = optuna.samplers.TPESampler(n_startup_trials=self.settings.warmup_trials, seed=state)
        with warnings.catch_warnings():
            # Optuna beats the heart itself only inside optimize(), which cannot work in rounds: `beat` does it.
            warnings.filterwarnings("ignore", message="Heartbeat of storage is supposed to be used")
            trial = self.study.ask(self.distributions)
        self.storage.record_heartbeat(trial._trial_id)
        return trial

    def beat(self, trials: list[optuna.Trial]) -> None:
        if time.monotonic() - self._last_beat >= self.settings.heartbeat_s:
            self._last_beat = time.monotonic()
            for trial in trials:
                self.storage.record_heartbeat(trial._trial_id)

    def requeue(self, trial: optuna.Trial, how: str) -> optuna.Trial:
        """The same values again, as a new trial, for one whose process died."""
        say(f"tune: trial {trial.number}: its process was {how}; its values are tried again")
        dead = self.study.tell(trial, state=TrialState.FAIL)
        self.retry(self.study, dead)
        if len(dead.system_attrs.get("retry_history", [])) >= self.settings.retries:
            raise RunError(
                f"tune: trial {trial.number}: its process was {how} {self.settings.retries + 1} times with "
                f"{trial.params}; give the machine more memory or narrow the search space"
            )
        return self._ask(trial.number)


@contextmanager
def _opened(
    settings: StudySettings, *, database: Path, title: str, name: str, costs: int
) -> Iterator[tuple[optuna.Study, RDBStorage]]:
    shared = bool(settings.storage)
    database.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{database}.lock").open("w") as lock:
        # Released by the kernel however the process ends. It also keeps two processes from creating the same tables.
        fcntl.flock(lock, fcntl.LOCK_EX)
        storage = _storage(settings.storage or f"sqlite:///{database.resolve()}", settings)
        known = set(optuna.get_all_study_names(storage))
        if title in known and not shared:
            _take_over(optuna.load_study(study_name=title, storage=storage), storage)
        elif title not in known and any(other.startswith(f"{name}-") for other in known):
            say(f"tune: the search space or what it searches on changed: a new study, {title}")
        pruner = optuna.pruners.MedianPruner(
            n_startup_trials=settings.warmup_trials, n_warmup_steps=settings.warmup_epochs
        )
        study = optuna.create_study(
            study_name=title,
            storage=storage,
            directions=[StudyDirection.MAXIMIZE, *[StudyDirection.MINIMIZE] * costs],
            pruner=pruner,
            load_if_exists=True,
        )
        if shared:
            fcntl.flock(lock, fcntl.LOCK_UN)
        try:
            yield study, storage
        finally:
            storage.remove_session()
            storage.engine.dispose()


def _take_over(study: optuna.Study, storage: RDBStorage) -> None:
    """Of a study that only this process works on: what still runs is dead; what is finished is of another run."""
    if study.user_attrs.get("finished"):
        optuna.delete_study(study_name=study.study_name, storage=storage)
        return
    retry = _retry(None)
    dead = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    for trial in dead:
        retry(study, study.tell(trial.number, state=TrialState.FAIL))
    done = len(study.get_trials(deepcopy=False, states=FINISHED))
    say(f"tune: going on with {done} finished trials of a run that was cut off, {len(dead)} are tried again")


def _retry(times: int | None) -> RetryHeartbeatStaleTrialCallback:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return RetryHeartbeatStaleTrialCallback(max_retry=times)


def _storage(address: str, settings: StudySettings) -> RDBStorage:
    patience = {"connect_args": {"timeout": SQLITE_PATIENCE_S}} if address.startswith("sqlite") else {}
    try:
        with one_at_a_time(address), warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return RDBStorage(
                address,
                engine_kwargs=patience,
                heartbeat_interval=settings.heartbeat_s,
                grace_period=3 * settings.heartbeat_s,
                heartbeat_stale_trial_callback=_retry(settings.retries),
            )
    except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"tune.storage: the study's database cannot be opened ({reason}); check the address, or leave it "
            "empty for a local file"
        ) from error


def _tell(study: optuna.Study, trial: optuna.Trial, outcome: Outcome) -> FrozenTrial:
    trial.set_user_attr("steps", outcome.steps)
    if outcome.values:
        return study.tell(trial, list(outcome.values))
    trial.set_user_attr("reason", outcome.reason)
    return study.tell(trial, state=TrialState.PRUNED)


def _front(study: optuna.Study, trials: tuple[Tried, ...]) -> tuple[Tried, ...]:
    if all(trial.value is None for trial in trials):
        raise RunError("tune: no trial finished, all were pruned or diverged; narrow the search space or prune later")
    undominated = {trial.number for trial in study.best_trials}
    return tuple(trial for trial in trials if trial.number in undominated)


def _note(trials: tuple[Tried, ...], score: str) -> str:
    pruned = sum(trial.value is None for trial in trials)
    values = [trial.value for trial in trials if trial.value is not None]
    return f"best {score} {max(values):.3f} ({pruned} pruned)" if values else f"({pruned} pruned)"
