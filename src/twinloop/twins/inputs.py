"""What a stage declared that it reads, as digests: taken when it starts and held against what is there when it ends.

DVC records dependencies when a stage has ended. What was edited while it ran would be recorded for outputs that were
made from the version before, and the next run would say "unchanged". A file whose times and size did not move is not
read again; files beyond 256 MB of a stage's input are known by times and size alone, as DVC's own state knows them.
"""

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinloop.config.compose import PARAMS, read_params
from twinloop.config.sections import declared, declared_values
from twinloop.config.sources import located
from twinloop.errors import InputError, RunError
from twinloop.files import fingerprint, sha256
from twinloop.twins.configuration import main_root

READ_AT_MOST = 256 * 2**20
# Times of files are this coarse on some file systems: a file written that shortly before the start is read again.
COARSE_NS = 2 * 10**9
# As .dvcignore has it: what no dependency counts.
IGNORED = ("__pycache__", ".ipynb_checkpoints")


@dataclass(frozen=True)
class _File:
    times: tuple[int, int, int, int]
    digest: str | None


@dataclass(frozen=True)
class Inputs:
    """Digests of one stage's declared parameters and of every file of its dependencies."""

    root: Path
    stage: str
    text: str
    params: Mapping[str, str]
    deps: tuple[str, ...]
    files: Mapping[str, _File]
    started_ns: int

    @classmethod
    def of(cls, root: Path, stage: str) -> "Inputs":
        """What the stage reads, as it is now. Raises InputError where params.yaml or dvc.yaml cannot be read."""
        started_ns, budget = time.time_ns(), READ_AT_MOST
        params, text = read_params(root), sha256(root / PARAMS)
        deps = tuple(_filled(dep, params) for dep in declared(root, stage, "deps"))
        files: dict[str, _File] = {}
        for name, path in _files(root, deps):
            status = path.stat()
            budget -= status.st_size
            files[name] = _File(_times(status), sha256(path) if budget >= 0 else None)
        return cls(root, stage, text, _declared_params(root, stage, params), deps, files, started_ns)

    def changes(self) -> list[str]:
        """What is no longer as it was: `params.yaml: factory.train`, or a file by its path."""
        now = dict(_files(self.root, self.deps))
        gone = [name for name in self.files if name not in now]
        return self._changed_params() + gone + [name for name, path in now.items() if self._differs(name, path)]

    def _changed_params(self) -> list[str]:
        try:
            if sha256(self.root / PARAMS) == self.text:
                return []
            params = _declared_params(self.root, self.stage, read_params(self.root))
        except (InputError, FileNotFoundError):
            return [str(PARAMS)]
        return [f"{PARAMS}: {key}" for key in self.params if params[key] != self.params[key]]

    def _differs(self, name: str, path: Path) -> bool:
        before = self.files.get(name)
        if before is None:
            return True
        try:
            times = _times(path.stat())
            settled = max(times[1:3]) < self.started_ns - COARSE_NS
            if times == before.times and (settled or before.digest is None):
                return False
            return before.digest is None or sha256(path) != before.digest
        except FileNotFoundError:
            return True

    def require_unchanged(self) -> None:
        """Raise RunError naming what changed since these digests were taken."""
        if changed := self.changes():
            more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
            raise RunError(
                f"{self.stage}: {', '.join(changed[:3])}{more} changed while the stage ran: its outputs are of neither "
                "version and are not recorded; run `make repro` again"
            )


def _times(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _declared_params(root: Path, stage: str, params: Mapping[str, Any]) -> dict[str, str]:
    return {dotted: fingerprint(value) for dotted, value in declared_values(root, stage, params).items()}


def _files(root: Path, deps: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Every file below the dependencies, by the name to show; one that is missing has none."""
    for dep in deps:
        path = located(dep, root=root, main=main_root(root))
        if path.is_file():
            yield dep, path
        elif path.is_dir():
            for folder, below, names in os.walk(path):
                below[:] = sorted(name for name in below if name not in IGNORED)
                for name in sorted(names):
                    file = Path(folder) / name
                    if file.is_file() and file.suffix != ".pyc":
                        yield os.path.relpath(file, root) if file.is_relative_to(root) else str(file), file


def _filled(dep: str, params: Mapping[str, Any]) -> str:
    """A dependency of dvc.yaml with `${path.in.params}` replaced by its value."""

    def value(match: re.Match[str]) -> str:
        node: Any = params
        for key in match[1].split("."):
            node = node[key]
        return str(node)

    return re.sub(r"\$\{([\w.]+)\}", value, dep)
