"""Your choices over conf/: conf/choices.yaml, which every composition reads, DVC's own included.

The file is tracked by git, so that an experiment's copy of the checkout has it and a commit keeps it. It is an ordinary
Hydra config, last in the defaults list: `override` entries choose options of groups, the rest are values.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from twinloop.config.reading import read_yaml
from twinloop.errors import InputError

FILE = "choices.yaml"
HEADER = """# @package _global_
# Your choices over the rest of conf/: `python -m twinloop conf path=value` adds one, `~path` drops one, `--reset` all.
"""


@dataclass(frozen=True)
class Choices:
    """Chosen options by group (`factory/data`) and chosen values by their keys (`factory.train.epochs`)."""

    groups: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[tuple[str, ...], Any] = field(default_factory=dict)

    @classmethod
    def read(cls, conf: Path) -> "Choices":
        """The choices in `conf`; none where the file is missing. Raises InputError where it is no choices file."""
        path = conf / FILE
        if not path.is_file():
            return cls()
        content = read_yaml(path, f"conf/{FILE}") or {}
        groups: dict[str, str] = {}
        entries = content.pop("defaults", []) if isinstance(content, dict) else None
        for entry in entries if isinstance(entries, list) else [None]:
            key, option = next(iter(entry.items())) if isinstance(entry, dict) and len(entry) == 1 else ("", None)
            if not key.startswith("override /") or not isinstance(option, str):
                raise InputError(f"conf/{FILE}: expected `override /group: option` below defaults, found {entry}")
            groups[key.removeprefix("override /")] = option
        return cls(groups, dict(_values(content)))

    def lines(self) -> list[str]:
        """Each choice as it could be typed, long lists cut short."""
        values = [f"{'.'.join(keys)}={_typed(value)}" for keys, value in self.values.items()]
        return [*(f"{group}={option}" for group, option in self.groups.items()), *values]

    def text(self) -> str:
        """The content of conf/choices.yaml."""
        tree: dict[str, Any] = {}
        if self.groups:
            tree["defaults"] = [{f"override /{group}": option} for group, option in self.groups.items()]
        for keys, value in self.values.items():
            node = tree
            for key in keys[:-1]:
                node = node.setdefault(key, {})
            node[keys[-1]] = value
        return HEADER + (yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=120) if tree else "")

    def without(self, dropped: Sequence[str]) -> "Choices":
        """These choices less those named (`factory.train.epochs`, `factory/data`). Raises InputError for no choice."""
        known = {*self.groups, *(".".join(keys) for keys in self.values)}
        for name in dropped:
            if name not in known:
                raise InputError(f"conf: ~{name}: expected one of your choices: {', '.join(sorted(known)) or 'none'}")
        return Choices(
            {group: option for group, option in self.groups.items() if group not in dropped},
            {keys: value for keys, value in self.values.items() if ".".join(keys) not in dropped},
        )

    def with_values(self, composed: Mapping[str, Any], paths: Sequence[tuple[str, ...]]) -> "Choices":
        """These choices and what `composed` holds at `paths`; a path into a list chooses the whole list."""
        values = dict(self.values)
        for path in paths:
            node: Any = composed
            keys: tuple[str, ...] = ()
            for key in path:
                if not isinstance(node, Mapping) or key not in node:
                    break
                node, keys = node[key], (*keys, key)
            # What was chosen above or below it says nothing any more.
            values = {o: kept for o, kept in values.items() if o[: len(keys)] != keys and keys[: len(o)] != o}
            values[keys] = node
        return Choices(self.groups, values)

    def with_groups(self, chosen: Mapping[str, str], defaults: Mapping[str, str]) -> "Choices":
        """These choices and `chosen` options; an option that is the default anyway is no choice."""
        groups = {**self.groups, **chosen}
        return Choices({g: option for g, option in groups.items() if defaults.get(g) != option}, self.values)


def default_options(conf: Path) -> dict[str, str]:
    """The option of every group that conf/config.yaml names."""
    content = read_yaml(conf / "config.yaml", "conf/config.yaml")
    entries = content.get("defaults", []) if isinstance(content, dict) else []
    return {str(g): str(option) for entry in entries if isinstance(entry, dict) for g, option in entry.items()}


@contextmanager
def staged(conf: Path, choices: Choices) -> Iterator[Path]:
    """A copy of `conf` that holds `choices`: what is composed from it can be checked before anything is written."""
    with tempfile.TemporaryDirectory(prefix="twinloop-conf-") as folder:
        copy = Path(folder) / "conf"
        shutil.copytree(conf, copy)
        (copy / FILE).write_text(choices.text(), encoding="utf-8")
        yield copy


def _values(node: Mapping[str, Any], keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from _values(value, (*keys, key))
        else:
            yield (*keys, key), value


def _typed(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True).replace("\n...", "").strip()
    return text if len(text) <= 60 else f"{text[:57]}…"
