"""Composition, validation and the conf stage's check, over all twins."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twinloop.config import Invalid, parse
from twinloop.config.choices import Choices
from twinloop.config.compose import PARAMS, choose, difference, leaves, read_params, write_params
from twinloop.config.digest import conf_digest
from twinloop.config.location import line_of
from twinloop.config.sections import describe
from twinloop.config.sources import dependency
from twinloop.errors import InputError, masked
from twinloop.files import write_text
from twinloop.twins import registry

CONF = Path("conf")


def write(root: Path, overrides: Sequence[str], *, force: bool = False, reset: bool = False) -> list[str]:
    """Compose, validate and write params.yaml and the choices; returns what changed.

    `overrides` become choices beside those that there are; `reset` drops those first. Raises InputError, having
    written nothing.
    """
    chosen = choose(root / CONF, overrides, reset=reset)
    _validate(chosen.composition.values, chosen.composition.origin)
    return write_params(root, root / CONF, chosen, force=force)


def completed(overrides: Sequence[str]) -> tuple[list[str], list[str]]:
    """The overrides with those that go with them where nothing else is said, and a line on each of these."""
    added: list[str] = []
    lines: list[str] = []
    for name in registry.TWINS:
        goes_with = getattr(registry.find(name).schema, "goes_with", None)
        more, told = goes_with(overrides) if goes_with else ((), ())
        added += more
        lines += told
    return [*overrides, *added], lines


def choices_line(root: Path) -> str:
    """The choices over conf/ as a line to show at every run; empty where there are none."""
    lines = Choices.read(root / CONF).lines()
    return f"your choices: {' '.join(lines)}  (python -m twinloop conf --reset drops them)" if lines else ""


def remarks(root: Path) -> list[str]:
    """What to say of choices that do not act alone: a value that a search replaces."""
    params, chosen = read_params(root), {".".join(keys) for keys in Choices.read(root / CONF).values}
    lines = []
    for name in registry.TWINS:
        schema = registry.find(name).schema
        config = parse(schema, {key: params[key] for key in (*registry.SHARED, name)})
        lines += [
            f"{path}: the search replaces your value, it is only where it starts ({name}.tune.trials=0 trains with it)"
            for path in getattr(config, "searched", ())
            if path in chosen
        ]
    return lines


def check(root: Path) -> None:
    """Refuse a params.yaml that is older than conf/ or that does not validate."""
    params = read_params(root)
    if params.get("conf_digest") != conf_digest(root / CONF):
        raise InputError("conf: conf/ has changed since params.yaml was composed: run `python -m twinloop conf`")

    def origin(keys: Sequence[str | int]) -> str:
        return f"{PARAMS}:{line_of(root / PARAMS, keys) or 1}"

    _validate(params, origin)
    for name, given in params.get("inputs", {}).items():
        expected = dependency(params[name]["data"]["source"])
        if given != expected:
            raise InputError(
                f"conf: inputs.{name}: expected {expected}, which follows from {name}.data.source: give that as a "
                f"choice, `python -m twinloop conf {name}.data.source={params[name]['data']['source']}`"
            )


def _validate(values: dict[str, Any], origin: Callable[[Sequence[str | int]], str]) -> None:
    for keys, value in leaves(values):
        if isinstance(value, str) and masked(value) != value:
            raise InputError(
                f"conf: {'.'.join(map(str, keys))}: a password would stand in params.yaml and in every run: put the "
                f"address into an environment variable and give env:NAME ({origin(keys)})"
            )
    try:
        registry.check(values)
    except Invalid as invalid:
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


def from_environment(path: str, value: str) -> str:
    """A setting that may be a secret: `env:NAME` stands for what the variable NAME holds. Raises InputError.

    path: the setting's own path, for the message.
    """
    name = value.removeprefix("env:")
    if name == value:
        return value
    if not os.environ.get(name):
        raise InputError(f"{path} = {value}: the environment variable {name} is not set: export it and run again")
    return os.environ[name]


def store_location(root: Path) -> str:
    """Where runs are recorded, to be shown: MLFLOW_TRACKING_URI without its password, else the own store."""
    return masked(os.environ.get("MLFLOW_TRACKING_URI", "")) or str(Path(".twinloop") / "mlflow" / "mlflow.db")
