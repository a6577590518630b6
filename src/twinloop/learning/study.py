"""A search by Optuna that repeats itself: same inputs, same trials, whatever the number of workers and however it died.

Trials are asked and told in rounds of fixed size, in order, each with its own sampler seed; pruning sees finished
rounds only. Every trial runs in its own process, which speaks to the parent through a pipe: the parent alone writes
the study, and requeues a trial whose process was killed. With a database address several machines share one study;
then heartbeats tell the dead from the living, and the order (so the result) is theirs.
"""

import fcntl
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy.exc
from numpy.random import SeedSequence
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.trial import TrialState

from twinloop.databases import one_at_a_time
from twinloop.errors import InputError, RunError
from twinloop.files import fingerprint
from twinloop.learning.objectives import Objective, choose
from twinloop.learning.rounds import Outcome, TrialFunction, run_round
from twinloop.learning.settings import StudySettings
from twinloop.numbers import coarse
from twinloop.progress import bar, say
from twinloop.search_space import Dimension, distribution

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
POLL_S = 0.5
SQLITE_PATIENCE_S = 60


@dataclass(frozen=True)
class Tried:
    """One finished trial: its score by objective; none if it was pruned or diverged (`reason` says which).

    number: its place, as if none had been tried twice. values: of the searched dimensions. steps: of its reports.
    """

    number: int
    values: dict[str, Any]
    scores: dict[str, float]
    reason: str
    steps: int


@dataclass(frozen=True)
class Search:
    """All finished trials in order of their numbers, and the one that is chosen.

    front: the trials that no other beats in one objective without being worse in another; of one objective the best.
    """

    objectives: tuple[Objective, ...]
    trials: tuple[Tried, ...]
    best: Tried
    front: tuple[Tried, ...]

    @property
    def pruned(self) -> int:
        return sum(not trial.scores for trial in self.trials)


def search(
    function: TrialFunction,
    space: Mapping[str, Dimension],
    *,
    objectives: tuple[Objective, ...],
    settings: StudySettings,
    name: str,
    inputs: Any,
    seed: int,
    database: Path,
    workers: int,
    start: Mapping[str, Any] | None = None,
    preload: tuple[str, ...] = (),
    on_trial: Callable[[Tried], None] | None = None,
) -> Search:
    """Search `space` for the best `objectives` with `settings.trials` finished trials.

    function: picklable; returns one number per objective, in their order. It calls report(step, value) as it goes,
    with a value of the first objective, which ends a trial that is not worth finishing; of several objectives none is
    ended early. What it raises, or the choice, leaves the study's trials in place for a rerun.
    inputs: whatever else decides the result (JSON-like); with the space and the objectives it names the study, so a
    change of any starts a new one, and says so. database: SQLite file for a study of this machine. start: values tried
    first. preload: modules that the trials' processes share, imported once. on_trial: given each finished trial, in
    order. Scores are kept as `numbers.coarse` gives them: they decide what is tried next.
    Raises RunError if no trial finishes, none keeps within the objectives' limits, or a trial's process keeps dying.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    asked_of_it = [(one.name, one.direction) for one in objectives]
    dimensions = {key: asdict(value) for key, value in space.items()}
    title = f"{name}-{fingerprint([dimensions, inputs, seed, asked_of_it])[:12]}"
    with _opened(settings, database=database, title=title, name=name, objectives=objectives) as (study, storage):
        first = {key: value for key, value in (start or {}).items() if key in space and space[key].holds(value)}
        if first and not study.get_trials(deepcopy=False):
            study.enqueue_trial(first)
        runner = _Runner(study, storage, settings=settings, seed=seed)
        runner.distributions = {key: distribution(dimension) for key, dimension in space.items()}
        with bar("trial", settings.trials) as shown:
            known = 0
            while True:
                done = finished_trials(study, objectives)
                for trial in done[known:]:
                    if on_trial is not None:
                        on_trial(trial)
                if len(done) > known:
                    shown.step(len(done) - known, note=_note(done, objectives[0]))
                known = len(done)
                if known >= settings.trials:
                    break
                asked = runner.ask(known)
                if not asked:
                    time.sleep(POLL_S)
                    continue
                outcomes = run_round(
                    function, asked, workers=workers, preload=preload, beat=runner.beat, requeue=runner.requeue
                )
                for trial_, outcome in outcomes:
                    _tell(study, trial_, outcome, objectives)
        done = tuple(sorted(done, key=lambda trial: trial.number))
        front = _front(study, done)
        best = front[choose(objectives, [trial.scores for trial in front])]
        study.set_user_attr("finished", True)
    return Search(objectives=objectives, trials=done, best=best, front=front)


def finished_trials(study: optuna.Study, objectives: Sequence[Objective]) -> tuple[Tried, ...]:
    """Every trial that ran to its end or was pruned, in the order in which they were asked for."""
    names, places = [one.name for one in objectives], _places(study)
    return tuple(
        Tried(
            number=places[trial.number],
            values=dict(trial.params),
            scores=dict(zip(names, trial.values, strict=True)) if trial.state is TrialState.COMPLETE else {},
            reason=trial.user_attrs.get("reason", "pruned") if trial.state is TrialState.PRUNED else "",
            steps=trial.user_attrs.get("steps", 0),
        )
        for trial in study.get_trials(deepcopy=False, states=FINISHED)
    )


def _places(study: optuna.Study) -> dict[int, int]:
    """The place of each finished trial by its number in the study, where one that is tried again has a new number.

    So a search that was killed and went on tells the same places as one that was not.
    """
    finished = study.get_trials(deepcopy=False, states=FINISHED)
    first = {trial.number: (trial.system_attrs.get("retry_history") or [trial.number])[0] for trial in finished}
    return {number: place for place, number in enumerate(sorted(first, key=lambda number: (first[number], number)))}


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
    settings: StudySettings, *, database: Path, title: str, name: str, objectives: Sequence[Objective]
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
            directions=[one.direction for one in objectives],
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
            f"StudySettings.storage: the study's database cannot be opened ({reason}); check the address, or leave it "
            "empty for a local file"
        ) from error


def _tell(study: optuna.Study, trial: optuna.Trial, outcome: Outcome, objectives: Sequence[Objective]) -> None:
    if outcome.values and len(outcome.values) != len(objectives):
        raise ValueError(f"expected one number per objective, {len(objectives)}; the trial gave {outcome.values}")
    try:
        trial.set_user_attr("steps", outcome.steps)
        if outcome.values:
            study.tell(trial, [coarse(value) for value in outcome.values])
        else:
            trial.set_user_attr("reason", outcome.reason)
            study.tell(trial, state=TrialState.PRUNED)
    except optuna.exceptions.UpdateFinishedTrialError:
        say(
            f"tune: trial {trial.number}: its heartbeat came late and others try its values again; raise "
            "StudySettings.heartbeat_s where machines are busy"
        )


def _front(study: optuna.Study, trials: tuple[Tried, ...]) -> tuple[Tried, ...]:
    if not any(trial.scores for trial in trials):
        raise RunError("tune: no trial finished, all were pruned or diverged; narrow the search space or prune later")
    places = _places(study)
    undominated = {places[trial.number] for trial in study.best_trials}
    return tuple(trial for trial in trials if trial.number in undominated)


def _note(trials: tuple[Tried, ...], first: Objective) -> str:
    values = [trial.scores[first.name] for trial in trials if trial.scores]
    pruned = f"({len(trials) - len(values)} pruned)"
    return f"best {first.title} {first.text(max(values, key=first.gain))} {pruned}" if values else pruned
