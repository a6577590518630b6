"""One execution of a twin is one row; every stage that really ran is a run nested below it, trials below that.

The row is found by what the execution was: digest of the parameters, git revision and the difference to it. So a stage
joins its row from any process, and the same execution never makes a second one.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinloop.files import fingerprint
from twinloop.tracking import view
from twinloop.tracking.store import Store

PARENT = "mlflow.parentRunId"
COMMIT = "mlflow.source.git.commit"
NO_GIT = "no-git"
# Set by `dvc exp run`.
EXPERIMENT_NAME = "DVC_EXP_NAME"
# Composition and DVC write these; the parameters are in the key already.
WRITTEN = (":(exclude)params.yaml", ":(exclude)conf/choices.yaml", ":(exclude)dvc.lock", ":(exclude)data/*/metrics/*")
# Whatever the user's git configuration, the same difference reads the same.
PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--binary", "--full-index")


def git_revision(root: Path) -> str:
    """Commit that `root` stands at; "no-git" outside a repository or before its first commit."""
    return _git(root, "rev-parse", "--verify", "HEAD").strip() or NO_GIT


def execution_key(section: Mapping[str, Any], root: Path) -> str:
    """Digest of a twin's parameters, the git revision, and how tracked files differ from it.

    root: the checkout whose code runs. The copy that `dvc exp run --temp` works in keeps the revision, so keys agree.
    """
    difference = _git(root, "diff", *PLAIN, "HEAD", "--", ".", *WRITTEN)
    return fingerprint({"params": section, "revision": git_revision(root), "difference": difference})


def tags(revision: str, *, profile: str) -> dict[str, str]:
    """What an execution's row is found by, in columns: DVC's name for it where it has one, profile, commit."""
    name = os.environ.get(EXPERIMENT_NAME)
    named = {view.EXPERIMENT: name} if name else {}
    return {**named, view.PROFILE: profile, view.REVISION: revision, COMMIT: revision}


def _git(root: Path, *arguments: str) -> str:
    """What git prints; nothing where there is no git, no repository or no commit."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


@dataclass(frozen=True)
class Execution:
    """The row of one execution of `twin`."""

    twin: str
    key: str
    experiment_id: str
    run_id: str


def find_or_create(store: Store, *, twin: str, key: str, tags: Mapping[str, str] | None = None) -> Execution:
    """The row with this key; where there is none it is made, with `tags`, by one process only."""
    experiment = store.experiment(twin)
    with store.lock("execution"):
        rows = store.client.search_runs(
            [experiment],
            filter_string=f"tags.execution_key = '{key}'",
            max_results=1,
            order_by=["attributes.start_time ASC"],
        )
        row = (
            rows[0]
            if rows
            else store.client.create_run(
                experiment,
                run_name=f"{twin} · {key[:8]}",
                tags={**(tags or {}), "execution_key": key, "twin": twin, view.LEVEL: view.EXECUTION},
            )
        )
    return Execution(twin, key, experiment, row.info.run_id)
