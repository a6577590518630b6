"""Composes conf/ into one mapping with Hydra, exactly as `dvc exp run` does, and writes params.yaml.

Choices outlive the command that made them: they are kept in conf/choices.yaml, which both compositions read. What
params.yaml holds beyond them, by hand or by `dvc exp run -S`, is never lost without --force.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from twinloop.config.choices import FILE, Choices, default_options, staged
from twinloop.config.digest import conf_digest, edited_by_hand
from twinloop.config.hydra_plugins.composition import register
from twinloop.config.location import in_conf
from twinloop.config.reading import read_yaml, unplain
from twinloop.errors import InputError
from twinloop.files import write_text

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

PARAMS = Path("params.yaml")
DIGESTS = (("conf_digest",), ("values_digest",))


@dataclass(frozen=True)
class Composition:
    """A composed configuration and where its values come from."""

    values: dict[str, Any]
    choices: dict[str, str]
    overrides: tuple[str, ...]
    conf: Path

    def origin(self, keys: Sequence[str | int]) -> str:
        """Where the value at `keys` was given: an override, or file and line."""
        path = [str(key) for key in keys]
        for override in reversed(self.overrides):
            given = override.partition("=")[0].lstrip("+~").split(".")
            if "/" not in override.partition("=")[0] and (given == path[: len(given)] or path == given[: len(path)]):
                return f"override {override}"
        return in_conf(self.conf, self.choices, keys) or "conf/"


def compose(conf: Path, overrides: Sequence[str] = (), *, named: Path | None = None) -> Composition:
    """Compose `conf`/config.yaml with Hydra overrides (`factory/data=folder`, `factory.train.epochs=3`).

    named: the folder to name in messages and origins, where `conf` is a copy of it.
    Raises InputError for an override or a file that Hydra cannot use, a value left open (`???`), and
    for `${oc.env:…}`, whose value (perhaps a secret) would end up in params.yaml.
    """
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from omegaconf import OmegaConf

    register(conf)
    shown = named or conf
    try:
        with initialize_config_dir(str(conf.resolve()), version_base=None):
            composed = hydra_compose("config", overrides=list(overrides), return_hydra_config=True)
        choices = {str(k): str(v) for k, v in composed.hydra.runtime.choices.items() if not str(k).startswith("hydra/")}
        with_hydra = OmegaConf.to_container(composed, resolve=False)
        assert isinstance(with_hydra, dict)
        bare = OmegaConf.create({key: value for key, value in with_hydra.items() if key != "hydra"})
        OmegaConf.resolve(bare)
        values = OmegaConf.to_container(bare)
        assert isinstance(values, dict)
    except Exception as error:
        # What people type and write meets three parsers here, and each lets Python's own errors out as well.
        raise InputError(_refusal(error, conf, shown, overrides)) from None
    plain: dict[str, Any] = {str(key): value for key, value in values.items()}
    composition = Composition(plain, choices, tuple(overrides), shown)
    for keys, expected in unplain(plain):
        raise InputError(f"conf: {'.'.join(map(str, keys))}: {expected} ({composition.origin(keys)})")
    for keys, value in leaves(plain):
        if value == "???":
            raise InputError(
                f"conf: {'.'.join(map(str, keys))}: expected a value, found ??? ({composition.origin(keys)})"
            )
    return composition


def _refusal(error: BaseException, conf: Path, shown: Path, overrides: Sequence[str]) -> str:
    """Hydra's reason in one line, files named as the user knows them."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, InputError):
        cause = cause.__cause__ or cause.__context__
    reason = str(cause or error) or type(error).__name__
    reason = reason.partition("\nConfig search path")[0].replace(str(conf.resolve()), str(shown))
    reason = reason.replace("full_key: ", "at ").partition("\n    object_type")[0].removeprefix("conf: ")
    given = f" (given: {' '.join(overrides)})" if overrides else ""
    return f"conf: {reason}{given}"


@dataclass(frozen=True)
class Chosen:
    """A composition with the choices it was made of, checked in a copy before it is written."""

    composition: Composition
    choices: Choices


def choose(conf: Path, overrides: Sequence[str] = (), *, reset: bool = False) -> Chosen:
    """Compose `conf` with the choices it holds (unless `reset`) and `overrides`, which become choices.

    `~path` drops a choice. Nothing is written. Raises InputError.
    """
    before = Choices() if reset else Choices.read(conf)
    before = before.without([override[1:] for override in overrides if override.startswith("~")])
    given = [override for override in overrides if not override.startswith("~")]
    choices = before
    if given:
        parsed = _parsed(given)
        with staged(conf, before) as copy:
            composed = compose(copy, given, named=conf)
        groups = {o.key_or_group: composed.choices[o.key_or_group] for o in parsed if _is_group(conf, o)}
        paths = [path for o in parsed if not _is_group(conf, o) for path in _paths(o)]
        choices = before.with_groups(groups, default_options(conf)).with_values(composed.values, paths)
    with staged(conf, choices) as copy:
        composition = compose(copy, named=conf)
    return Chosen(Composition(composition.values, composition.choices, tuple(given), conf), choices)


def _parsed(overrides: Sequence[str]) -> "list[Override]":
    from hydra.core.override_parser.overrides_parser import OverridesParser

    try:
        return OverridesParser.create().parse_overrides(list(overrides))
    except Exception as error:
        # The grammar's parser lets Python's own errors out, for numbers of thousands of digits among others.
        raise InputError(_refusal(error, Path("conf"), Path("conf"), overrides)) from None


def _is_group(conf: Path, override: "Override") -> bool:
    return (conf / override.key_or_group).is_dir()


def _paths(override: "Override") -> Iterator[tuple[str, ...]]:
    """The keys of every value that an override gives; a mapping gives those of its own values."""
    keys, value = tuple(override.key_or_group.split(".")), override.value()
    if not isinstance(value, dict) or not value:
        yield keys
        return
    for inner, _ in leaves({str(key): child for key, child in value.items()}):
        yield keys + tuple(map(str, inner))


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every scalar of nested mappings and lists with the keys that lead to it; an empty container counts as one."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    pairs = list(items)
    if not pairs:
        yield path, value
    for key, child in pairs:
        yield from leaves(child, (*path, key))


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Lines `path: old → new` for every value that differs; the digests follow from the values."""
    before, after = (
        {".".join(map(str, keys)): value for keys, value in leaves(values) if keys[:1] not in DIGESTS}
        for values in (old, new)
    )
    absent = "(absent)"
    return [
        f"{path}: {before.get(path, absent)} → {after.get(path, absent)}"
        for path in [*before, *(path for path in after if path not in before)]
        if path not in before or path not in after or before[path] != after[path]
    ]


def read_params(root: Path) -> dict[str, Any]:
    """params.yaml as plain data. Raises InputError where it is missing or no YAML mapping."""
    path = root / PARAMS
    if not path.is_file():
        raise InputError(f"conf: {PARAMS} is missing: run `python -m twinloop conf`")
    value = read_yaml(path, f"conf: {PARAMS}")
    if not isinstance(value, dict):
        raise InputError(f"conf: {PARAMS}: expected a mapping, found {type(value).__name__}")
    return value


def write_params(root: Path, conf: Path, chosen: Chosen, *, force: bool = False) -> list[str]:
    """Write params.yaml and conf/choices.yaml and return what changed in params.yaml, as lines.

    Raises InputError where params.yaml holds values that no choice gives and that would be lost, unless `force`.
    """
    path, composition = root / PARAMS, chosen.composition
    old = {} if force and edited_by_hand(path) and not _readable(root) else read_params(root) if path.is_file() else {}
    changes = difference(old, composition.values)
    if old and changes and not force and (lost := _lost(conf, path, old, changes)):
        raise InputError(
            f"conf: params.yaml holds {len(lost)} value(s) set by hand or by -S that would be lost "
            f"({'; '.join(lost[:3])}{' …' if len(lost) > 3 else ''}): give them as overrides, or add --force"
        )
    if old != composition.values:
        write_text(path, yaml.safe_dump(composition.values, sort_keys=False, allow_unicode=True, width=120))
    kept = chosen.choices.text()
    if not (conf / FILE).is_file() or (conf / FILE).read_text(encoding="utf-8") != kept:
        write_text(conf / FILE, kept)
    return changes


def _lost(conf: Path, path: Path, old: Mapping[str, Any], changes: list[str]) -> list[str]:
    """Which changes would overwrite what neither conf/ nor a choice gives."""
    by_hand = edited_by_hand(path)
    if not by_hand and old.get("conf_digest") != conf_digest(conf):
        return []  # composed from an older conf/
    try:
        composed = compose(conf).values
    except InputError:
        if by_hand:
            raise
        return []
    changed = {change.partition(":")[0] for change in changes}
    return [line for line in difference(composed, old) if line.partition(":")[0] in changed]


def _readable(root: Path) -> bool:
    try:
        return bool(read_params(root))
    except InputError:
        return False
