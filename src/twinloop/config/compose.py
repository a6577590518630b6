"""Composes conf/ into one mapping with Hydra, exactly as `dvc exp run` does, and writes params.yaml.

What a composition would overwrite is compared with what the last one wrote: choices made by hand or
by `dvc exp run -S` are never lost without --force.
"""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from twinloop.config.hydra_plugins.conf_digest import register
from twinloop.config.location import in_conf
from twinloop.errors import InputError
from twinloop.files import write_text

PARAMS = Path("params.yaml")
LAST_COMPOSED = Path(".twinloop/state/params.yaml")


@dataclass(frozen=True)
class Composition:
    """A composed configuration and where its values come from."""

    values: dict[str, Any]
    choices: dict[str, str]
    overrides: tuple[str, ...]
    conf: Path

    def origin(self, keys: Sequence[str | int]) -> str:
        """Where the value at `keys` was given: an override, or file and line."""
        dotted = ".".join(str(key) for key in keys)
        for override in self.overrides:
            if override.partition("=")[0].lstrip("+~") == dotted:
                return f"override {override}"
        return in_conf(self.conf, self.choices, keys) or "conf/"


def compose(conf: Path, overrides: Sequence[str] = ()) -> Composition:
    """Compose `conf`/config.yaml with Hydra overrides (`factory/data=folder`, `factory.train.epochs=3`).

    Raises InputError for an override or a file that Hydra cannot use, a value left open (`???`), and
    for `${oc.env:…}`, whose value (perhaps a secret) would end up in params.yaml.
    """
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    for file in sorted(conf.rglob("*.yaml")):
        if "oc.env" in file.read_text(encoding="utf-8"):
            raise InputError(f"conf: {file}: ${{oc.env:…}} would end up in params.yaml in clear: give the value itself")
    register(conf)
    try:
        with initialize_config_dir(str(conf.resolve()), version_base=None):
            composed = hydra_compose("config", overrides=list(overrides), return_hydra_config=True)
        choices = {str(k): str(v) for k, v in composed.hydra.runtime.choices.items() if not str(k).startswith("hydra/")}
        with_hydra = OmegaConf.to_container(composed, resolve=False)
        assert isinstance(with_hydra, dict)
        bare = OmegaConf.create({key: value for key, value in with_hydra.items() if key != "hydra"})
        OmegaConf.resolve(bare)
        values = OmegaConf.to_container(bare)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        given = f" (given: {' '.join(overrides)})" if overrides else ""
        raise InputError(f"conf: {' '.join(str(error).split())}{given}") from None
    assert isinstance(values, dict)
    plain: dict[str, Any] = {str(key): value for key, value in values.items()}
    composition = Composition(plain, choices, tuple(overrides), conf)
    for keys, value in leaves(plain):
        if value == "???":
            raise InputError(
                f"conf: {'.'.join(map(str, keys))}: expected a value, found ??? ({composition.origin(keys)})"
            )
    return composition


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every scalar of nested mappings and lists with the keys that lead to it; an empty container counts as one."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    pairs = list(items)
    if not pairs:
        yield path, value
    for key, child in pairs:
        yield from leaves(child, (*path, key))


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Lines `path: old → new` for every value that differs."""
    before = {".".join(map(str, keys)): value for keys, value in leaves(old)}
    after = {".".join(map(str, keys)): value for keys, value in leaves(new)}
    absent = "(absent)"
    return [
        f"{path}: {before.get(path, absent)} → {after.get(path, absent)}"
        for path in [*before, *(path for path in after if path not in before)]
        if path not in before or path not in after or before[path] != after[path]
    ]


def read_params(root: Path) -> dict[str, Any]:
    """params.yaml as a mapping. Raises InputError where it is missing or no YAML mapping."""
    path = root / PARAMS
    if not path.is_file():
        raise InputError(f"conf: {PARAMS} is missing: run `python -m twinloop conf`")
    return _mapping(path.read_text(encoding="utf-8"), str(PARAMS))


def _mapping(text: str, name: str) -> dict[str, Any]:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"conf: {name}: expected YAML: {' '.join(str(error).split())}") from None
    if not isinstance(value, dict):
        raise InputError(f"conf: {name}: expected a mapping, found {type(value).__name__}")
    return value


def write_params(root: Path, composition: Composition, *, force: bool = False) -> list[str]:
    """Write params.yaml and return what changed in it, as lines.

    Raises InputError where params.yaml holds choices that no composition wrote, unless `force`.
    """
    path = root / PARAMS
    old = read_params(root) if path.is_file() else {}
    changes = difference(old, composition.values)
    if old and changes and not force:
        by_hand = difference(_last_composed(root, old), old)
        lost = [line for line in by_hand if line.partition(":")[0] in {change.partition(":")[0] for change in changes}]
        if lost:
            raise InputError(
                f"conf: params.yaml holds {len(lost)} choice(s) made by hand or by -S that would be lost "
                f"({'; '.join(lost[:3])}{' …' if len(lost) > 3 else ''}): give them as overrides, or add --force"
            )
    text = yaml.safe_dump(composition.values, sort_keys=False, allow_unicode=True, width=120)
    if changes or not path.is_file():
        write_text(path, text)
    write_text(root / LAST_COMPOSED, text)
    return changes


def _last_composed(root: Path, current: dict[str, Any]) -> dict[str, Any]:
    """The last composition of this checkout: our own copy, else the committed params.yaml, else what is there."""
    if (root / LAST_COMPOSED).is_file():
        return _mapping((root / LAST_COMPOSED).read_text(encoding="utf-8"), str(LAST_COMPOSED))
    shown = subprocess.run(
        ["git", "show", f"HEAD:./{PARAMS}"], cwd=root, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    return _mapping(shown.stdout, f"HEAD:{PARAMS}") if shown.returncode == 0 else current
