"""What dvc.lock says that the stages made: one digest of it, and whether what lies there still is that.

DVC takes what it restores from its cache for what the cache's name says, unread. So a stage reads, with its own eyes,
that its inputs are what their stages made, before it uses them.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from twinloop.config.sections import declared
from twinloop.errors import RunError
from twinloop.files import fingerprint

LOCK = Path("dvc.lock")
CACHE = Path(".dvc/cache/files/md5")


def digest(root: Path, twin: str) -> str:
    """A digest of everything that the stages of `twin` have made, by dvc.lock."""
    stages = _locked(root)
    made = {name: stage.get("outs", []) for name, stage in stages.items() if name.startswith(f"{twin}-")}
    return fingerprint({name: outs for name, outs in made.items() if outs})


def verify(root: Path, stage: str, *, main: Path) -> None:
    """Check that what `stage` reads of other stages is what these made.

    main: the main checkout, whose cache a copy of it shares. A bad object of the cache is removed, so that it can be
    made or fetched again. Raises RunError naming the first file that is not.
    """
    stages = _locked(root)
    made = {out["path"]: (name, out["md5"]) for name, each in stages.items() for out in each.get("outs", ())}
    for path in declared(root, stage, "deps"):
        if path in made and (root / path).exists():
            _check(root, path, *made[path], main / CACHE)


def _check(root: Path, path: str, maker: str, expected: str, cache: Path) -> None:
    present = root / path
    files = {name: md5(present / name) for name in _files(root, present)} if present.is_dir() else {}
    if (_of_folder(files) if present.is_dir() else md5(present)) == expected:
        return
    listed = _listed(cache, expected) if present.is_dir() else {}
    wrong = sorted(name for name in {*files, *listed} if listed and files.get(name) != listed.get(name))
    objects = [expected, *(listed[name] for name in wrong if name in listed)]
    removed = [name for name in objects if _remove_if_bad(cache, name)]
    raise RunError(
        f"{path}{f'/{wrong[0]}' if wrong else ''}: not what {maker} made"
        f"{f' ({len(removed)} bad in the cache of DVC, removed)' if removed else ''}: "
        f"run `rm -r {path}`, then `make repro`"
    )


def _locked(root: Path) -> Mapping[str, Any]:
    with contextlib.suppress(FileNotFoundError):
        # By the parser in C, as DVC itself has it: thousands of lines take a second in Python.
        lock = yaml.load((root / LOCK).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        return dict((lock or {}).get("stages", {}))
    return {}


def md5(path: Path) -> str:
    """Hex digest by which DVC knows a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _files(root: Path, folder: Path) -> Iterator[str]:
    """Names of a folder's files, without those that .dvcignore names."""
    ignore = root / ".dvcignore"
    patterns = ignore.read_text(encoding="utf-8").split() if ignore.is_file() else []
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if path.is_file() and not any(fnmatch(part, pattern) for part in name.parts for pattern in patterns):
            yield name.as_posix()


def _of_folder(files: Mapping[str, str]) -> str:
    """DVC's digest of a folder: of its list of files and their digests."""
    entries = [{"md5": files[name], "relpath": name} for name in sorted(files)]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


def _object(cache: Path, name: str) -> Path:
    return cache / name[:2] / name[2:]


def _listed(cache: Path, folder: str) -> dict[str, str]:
    """The files of a folder and their digests, as the cache keeps them; nothing where it has no sound list."""
    try:
        entries = json.loads(_object(cache, folder).read_bytes())
        return {entry["relpath"]: entry["md5"] for entry in entries}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _remove_if_bad(cache: Path, name: str) -> bool:
    path = _object(cache, name)
    if not path.is_file() or md5(path) == name.removesuffix(".dir"):
        return False
    path.unlink()
    return True
