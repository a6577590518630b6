"""Trials side by side, each in its own process: started clean, killed without harm to the others.

The processes fork from a server that has imported the heavy modules once. A trial reports through its pipe and learns
there whether to go on; a pipe that closes without an outcome means that the process died.
"""

import math
import multiprocessing
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

import optuna

from twinloop.errors import InputError, RunError
from twinloop.numbers import coarse

POLL_S = 1.0
Report = Callable[[int, float], None]
# From searched values to one number per objective of the study, in their order.
TrialFunction = Callable[[Mapping[str, Any], Report], float | Sequence[float]]


class Pruned(Exception):
    """Raised inside a trial by `report` when the rest of it is not worth its time; let it pass."""


@dataclass(frozen=True)
class Outcome:
    """A trial's values after `steps` reports, or none with the reason: pruned, or what its RunError said."""

    values: tuple[float, ...]
    steps: int
    reason: str = ""


@dataclass
class _Running:
    place: int
    trial: optuna.Trial
    process: BaseProcess
    connection: Connection
    steps: int = 0


def run_round(
    objective: TrialFunction,
    trials: list[optuna.Trial],
    *,
    workers: int,
    preload: tuple[str, ...] = (),
    beat: Callable[[list[optuna.Trial]], None],
    requeue: Callable[[optuna.Trial, str], optuna.Trial],
) -> list[tuple[optuna.Trial, Outcome]]:
    """Run `trials`, at most `workers` at a time, and return their outcomes in the order given.

    beat: called with all unfinished trials at least every second. requeue: gives the trial that replaces one whose
    process died. Raises InputError as a trial raised it, RuntimeError with the trial's traceback for anything else.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *preload])
    waiting = list(enumerate(trials))
    running: dict[Connection, _Running] = {}
    outcomes: dict[int, tuple[optuna.Trial, Outcome]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < max(workers, 1):
                place, trial = waiting.pop(0)
                started = _start(context, objective, place, trial)
                running[started.connection] = started
            beat([trial for _, trial in waiting] + [one.trial for one in running.values()])
            for connection in wait(list(running), timeout=POLL_S):
                assert isinstance(connection, Connection)
                one = running[connection]
                try:
                    kind, *content = connection.recv()
                except (EOFError, ConnectionResetError):
                    del running[connection]
                    waiting.insert(0, (one.place, requeue(one.trial, _ending(one))))
                    continue
                if kind == "report":
                    _answer(one, *content)
                    continue
                outcomes[one.place] = one.trial, _outcome(one, kind, *content)
                del running[connection]
                one.process.join()
                connection.close()
    finally:
        for one in running.values():
            one.process.kill()
            one.process.join()
    return [outcomes[place] for place in range(len(trials))]


def _start(context: Any, objective: TrialFunction, place: int, trial: optuna.Trial) -> _Running:
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(objective, dict(trial.params), there), daemon=True)
    process.start()
    # Without this end open here, its closing in a killed child would never be noticed.
    there.close()
    return _Running(place, trial, process, here)


def _work(objective: TrialFunction, values: dict[str, Any], connection: Connection) -> None:
    def report(step: int, value: float) -> None:
        connection.send(("report", step, value))
        if connection.recv():
            raise Pruned

    try:
        answer = objective(values, report)
        numbers = tuple(map(float, answer)) if isinstance(answer, Sequence) else (float(answer),)
        message: tuple[Any, ...] = ("values", numbers)
    except Pruned:
        message = ("stopped", "pruned")
    except RunError as error:
        message = ("stopped", str(error))
    except InputError as error:
        message = ("refused", str(error))
    except (EOFError, ConnectionError):
        return  # The parent is gone: nobody waits for an answer.
    except Exception:
        message = ("broke", traceback.format_exc())
    connection.send(message)


def _answer(one: _Running, step: int, value: float) -> None:
    prune = False
    one.steps += 1
    # Optuna prunes by one objective only.
    if math.isfinite(value) and len(one.trial.study.directions) == 1:
        try:
            one.trial.report(coarse(value), step)
            prune = one.trial.should_prune()
        except optuna.exceptions.UpdateFinishedTrialError:
            # Others on the same study took it for dead and try its values again: no use in going on.
            prune = True
    try:
        one.connection.send(prune)
    except ConnectionError:
        return  # It died while we thought; the closed pipe is noticed next.


def _outcome(one: _Running, kind: str, content: Any) -> Outcome:
    if kind == "refused":
        raise InputError(content)
    if kind == "broke":
        raise RuntimeError(f"trial {one.trial.number} with {one.trial.params} failed:\n{content}")
    if kind == "values" and all(map(math.isfinite, content)):
        return Outcome(content, one.steps)
    reason = content if kind == "stopped" else f"value {', '.join(map(str, content))}"
    return Outcome((), one.steps, reason)


def _ending(one: _Running) -> str:
    one.process.join()
    one.connection.close()
    code = one.process.exitcode or 0
    return f"killed by signal {-code}" if code < 0 else f"ended with status {code}"
