"""`make repro`: the DVC pipeline of one twin, told in one line per stage, ending with the front page.

DVC does the work (`dvc repro` does the same with DVC's own words); this module only listens to its
log and translates.
"""

import logging
import os
import re
from pathlib import Path

from twinloop.errors import InputError, RunError
from twinloop.progress import headline, say
from twinloop.twins.registry import Twin

FRONT = "front"


class _Narrator(logging.Handler):
    """Turns DVC's log into our lines; what a running stage prints needs no translation."""

    pattern = re.compile(r"Stage '(?P<stage>[\w-]+)' (?P<what>didn't change|is cached)")

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        found = self.pattern.match(message)
        if found and found["stage"] not in ("conf", FRONT):
            twin, _, verb = found["stage"].partition("-")
            say(headline(twin, verb, "unchanged" if found["what"] == "didn't change" else "restored from the cache"))
        elif record.levelno >= logging.WARNING:
            say(f"dvc: {' '.join(message.split())}")


def reproduce(root: Path, twin: Twin) -> None:
    """Bring every stage of `twin` up to date.

    Raises RunError naming the stage that failed, or InputError where another run holds the pipeline.
    """
    from dvc.exceptions import DvcException, ReproductionError
    from dvc.lock import LockError
    from dvc.repo import Repo

    logger = logging.getLogger("dvc")
    own_handlers, logger.handlers[:] = list(logger.handlers), [_Narrator()]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    # A DVC_ROOT of an outer pipeline would send the stages' store and state elsewhere.
    os.environ.pop("DVC_ROOT", None)
    try:
        with Repo(str(root)) as repo:
            repo.reproduce(targets=[f"{twin.name}-{verb}" for verb in twin.verbs])
            if "report" in twin.verbs:
                # Alone: it depends on the answers of all twins, and one is to run here.
                repo.reproduce(targets=[FRONT], single_item=True)
    except LockError:
        raise InputError("repro: another `dvc repro` or `make repro` is running here: wait for it to end") from None
    except ReproductionError as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        stage = re.search(r"reproduce:? '?(?:[\w/.]+:)?([\w-]+)", str(error))
        name = stage.group(1) if stage else "a stage"
        told = " (its own line is above)" if "failed to run" in str(cause) else f": {' '.join(str(cause).split())}"
        raise RunError(f"{name} stopped{told}; finished stages are kept: mend it, then `make repro` again") from None
    except DvcException as error:
        raise RunError(f"dvc: {' '.join(str(error).split())}") from None
    finally:
        logger.handlers[:] = own_handlers
