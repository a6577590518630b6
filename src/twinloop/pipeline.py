"""`make repro`: the DVC pipeline of one twin, told in one line per stage, ending with the front page.

DVC does the work (`dvc repro` does the same with DVC's own words); this module only listens to its
log and translates.
"""

import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twinloop import outputs
from twinloop.errors import InputError, RunError
from twinloop.progress import headline, say
from twinloop.tracking.recorded import is_recorded
from twinloop.twins.registry import Twin

if TYPE_CHECKING:
    from dvc.repo import Repo

CONF, FRONT = "conf", "front"
RECORD = "record"


class StageStopped(RunError):
    """A stage of one twin stopped; no other twin depends on it."""


class _Narrator(logging.Handler):
    """Turns DVC's log into our lines; what a running stage prints needs no translation."""

    pattern = re.compile(r"Stage '(?P<stage>[\w-]+)' (?P<what>didn't change|is cached)")

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        found = self.pattern.match(message)
        if found and found["stage"] not in (CONF, FRONT):
            twin, _, verb = found["stage"].partition("-")
            say(headline(twin, verb, "unchanged" if found["what"] == "didn't change" else "restored from the cache"))
        elif record.levelno >= logging.WARNING:
            say(f"dvc: {' '.join(message.split())}")


def _recorded(root: Path, twin: Twin) -> bool:
    address = os.environ.get("MLFLOW_TRACKING_URI")
    models = [twin.registered(model) for model in twin.models]
    return is_recorded(address, root, twin=twin.name, outputs=outputs.digest(root, twin.name), models=models)


def _refuse_unreadable_lock(root: Path, error: BaseException | None) -> None:
    """Raise RunError where DVC could not read who else runs here."""
    from dvc.rwlock import RWLOCK_FILE, RWLockFileCorruptedError, RWLockFileFormatError

    while error is not None:
        if isinstance(error, RWLockFileCorruptedError | RWLockFileFormatError):
            path = (Path(".dvc/tmp") / RWLOCK_FILE).as_posix()
            raise RunError(f"repro: {path}: cannot be read: if nothing else runs here, `rm {path}`") from None
        error = error.__cause__


def _last(repo: "Repo", names: Sequence[str]) -> list[str]:
    """Of the named stages those that no other of them needs; for each target DVC reads its files once more."""
    graph = repo.index.graph
    own = [stage for stage in graph if stage.addressing in names]
    return [stage.addressing for stage in own if not any(other in own for other in graph.predecessors(stage))]


def reproduce(root: Path, twin: Twin) -> None:
    """Bring every stage of `twin` up to date.

    Raises StageStopped naming the stage of the twin that failed, RunError where the pipeline itself cannot run, and
    InputError where another run holds it.
    """
    from dvc.exceptions import DvcException, ReproductionError
    from dvc.lock import LockError
    from dvc.repo import Repo
    from dvc.scm import SCMError

    logger = logging.getLogger("dvc")
    own_handlers, logger.handlers[:] = list(logger.handlers), [_Narrator()]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    # A DVC_ROOT of an outer pipeline would send the stages' store and state elsewhere.
    os.environ.pop("DVC_ROOT", None)
    try:
        with Repo(str(root)) as repo:
            repo.reproduce(targets=_last(repo, [f"{twin.name}-{verb}" for verb in twin.verbs if verb != RECORD]))
            if RECORD in twin.verbs:
                # DVC knows that record ran, not into which store.
                forced = not _recorded(root, twin)
                repo.reproduce(targets=[f"{twin.name}-{RECORD}"], single_item=True, force=forced)
            if "report" in twin.verbs:
                # Alone: it depends on the answers of all twins, and one is to run here.
                repo.reproduce(targets=[FRONT], single_item=True)
    except LockError:
        raise InputError("repro: another `dvc repro` or `make repro` is running here: wait for it to end") from None
    except ReproductionError as error:
        _refuse_unreadable_lock(root, error)
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        stage = re.search(r"reproduce:? '?(?:[\w/.]+:)?([\w-]+)", str(error))
        name = stage.group(1) if stage else "a stage"
        why = " (its own line is above)" if "failed to run" in str(cause) else f": {' '.join(str(cause).split())}"
        stopped = RunError if name in (CONF, FRONT) else StageStopped
        raise stopped(f"{name} stopped{why}; finished stages are kept: fix it, then `make repro` again") from None
    except SCMError:
        raise InputError(
            f"repro: {root} is no git repository (a ZIP download is none): clone the project, or "
            "`git init && git add --all && git commit --message start` here"
        ) from None
    except DvcException as error:
        raise RunError(f"dvc: {' '.join(str(error).split())}") from None
    finally:
        logger.handlers[:] = own_handlers
