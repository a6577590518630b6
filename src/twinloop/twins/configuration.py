"""Composition, validation and the conf stage's check, over all twins."""

import os
from collections.abc import Sequence
from pathlib import Path

from twinloop.config import Invalid
from twinloop.config.choices import Choices
from twinloop.config.compose import PARAMS, choose, difference, read_params, write_params
from twinloop.config.digest import conf_digest
from twinloop.config.location import line_of
from twinloop.config.sections import describe
from twinloop.errors import InputError
from twinloop.files import write_text
from twinloop.twins import registry

CONF = Path("conf")


def write(root: Path, overrides: Sequence[str], *, force: bool = False, reset: bool = False) -> list[str]:
    """Compose, validate and write params.yaml and the choices; returns what changed.

    `overrides` become choices beside those that there are; `reset` drops those first. Raises InputError, having
    written nothing.
    """
    chosen = choose(root / CONF, overrides, reset=reset)
    try:
        registry.check(chosen.composition.values)
    except Invalid as invalid:
        raise InputError(describe(invalid.faults, chosen.composition.origin)) from None
    return write_params(root, root / CONF, chosen, force=force)


def choices_line(root: Path) -> str:
    """The choices over conf/ as a line to show at every run; empty where there are none."""
    lines = Choices.read(root / CONF).lines()
    return f"your choices: {' '.join(lines)}  (python -m twinloop conf --reset drops them)" if lines else ""


def check(root: Path) -> None:
    """Refuse a params.yaml that is older than conf/ or that does not validate."""
    params = read_params(root)
    if params.get("conf_digest") != conf_digest(root / CONF):
        raise InputError("conf: conf/ has changed since params.yaml was composed: run `python -m twinloop conf`")
    try:
        registry.check(params)
    except Invalid as invalid:

        def origin(keys: Sequence[str | int]) -> str:
            return f"{PARAMS}:{line_of(root / PARAMS, keys) or 1}"

        raise InputError(describe(invalid.faults, origin)) from None


def differs_from_default(root: Path) -> list[str]:
    """How params.yaml differs from the default composition; empty in a commit that CI accepts."""
    return difference(choose(root / CONF, reset=True).composition.values, read_params(root))


def stamp(path: Path) -> None:
    """The conf stage's constant output: every prepare depends on it, none reruns because of it."""
    write_text(path, "params.yaml fits conf/ and its schemas\n")


def main_root(root: Path) -> Path:
    """The main checkout: `dvc exp run --temp` runs in a copy, where store and state must not be left."""
    return Path(os.environ.get("DVC_ROOT", root))


def store_location(root: Path) -> str:
    """Where runs are recorded: MLFLOW_TRACKING_URI, else the repository's own store."""
    return os.environ.get("MLFLOW_TRACKING_URI") or str(Path(".twinloop") / "mlflow" / "mlflow.db")
