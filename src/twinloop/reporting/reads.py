"""What a notebook read, so that it runs again only when something of that has changed.

Its kernel notes the files of the repository that it opens, code included; Python's audit events tell of them. Files
that a library opens by itself (Parquet) are told by `results.Outputs`, through which notebooks read all outputs.
"""

import contextlib
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from twinloop.files import fingerprint, read_json, sha256, write_json

if TYPE_CHECKING:
    from nbformat import NotebookNode

EVENT = "twinloop.read"
# Below the root, but no input: environments and state (hidden folders), and what reports write.
WRITTEN = "reports"


def tell(path: Path) -> None:
    """Say that a file or folder is read by something that Python's own audit events do not see."""
    sys.audit(EVENT, str(path))


def note_reads(trace: str) -> None:
    """From now on, add every file that this process opens for reading as a line to the file `trace`.

    This package's modules that are loaded already are noted first.
    """
    noted: set[str] = set()
    output = Path(trace).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115 (open as long as the kernel lives)

    def note(path: str) -> None:
        if path not in noted:
            noted.add(path)
            output.write(f"{Path(path).absolute()}\n")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == EVENT or (
            event == "open" and isinstance(arguments[0], str) and not (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR)
        ):
            note(arguments[0])

    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "twinloop" and getattr(module, "__file__", None):
            note(str(module.__file__))
    sys.addaudithook(hook)


class Execute(Protocol):
    """`notebooks.execute`."""

    def __call__(
        self, notebook: Path, output: Path, *, parameters: Mapping[str, Any], trace: Path
    ) -> "NotebookNode": ...


class Executions:
    """Executed notebooks in `folder`, each with digests of what it read below `root` or in this package's code.

    Both are one file, so that runs beside each other (`dvc exp run --temp`) cannot mix theirs.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder, self._root = folder, root.resolve()
        self._code = Path(__file__).resolve().parents[1]
        self._digests: dict[str, str | None] = {}

    def recall(self, notebook: Path, parameters: Mapping[str, Any]) -> "NotebookNode | None":
        """The executed notebook where its source, its parameters and all that it read are as they were, else None."""
        import nbformat

        with contextlib.suppress(OSError, ValueError, KeyError):
            kept = read_json(self._folder / f"{notebook.stem}.json")
            same = kept["notebook"] == self._identity(notebook, parameters)
            if same and all(self._digest(name) == digest for name, digest in kept["read"].items()):
                document: NotebookNode = nbformat.reads(kept["executed"], as_version=4)  # type: ignore[no-untyped-call]
                return document
        return None

    def run(self, notebook: Path, parameters: Mapping[str, Any], execute: Execute, output: Path) -> "NotebookNode":
        """Execute a notebook to `output`, which stays where it fails; else it is kept with what it read.

        It is not kept where a file changed meanwhile: nobody knows which state it has read.
        """
        record, start = self._folder / f"{notebook.stem}.json", time.time()
        record.unlink(missing_ok=True)
        with tempfile.NamedTemporaryFile("r", encoding="utf-8", suffix=".reads") as trace:
            document = execute(notebook, output, parameters=parameters, trace=Path(trace.name))
            names = sorted(set(self._names(trace.read())))
        if not any(self._changed_since(start, name) for name in names):
            kept = {
                "notebook": self._identity(notebook, parameters),
                "read": {name: self._digest(name) for name in names},
                "executed": output.read_text(encoding="utf-8"),
            }
            write_json(record, kept)
        output.unlink()
        return document

    def _identity(self, notebook: Path, parameters: Mapping[str, Any]) -> str:
        return fingerprint({"source": sha256(notebook), "parameters": dict(parameters)})

    def _names(self, trace: str) -> Iterator[str]:
        """What was read, relative to the root where it lies below it."""
        for line in trace.splitlines():
            path = Path(importlib.util.source_from_cache(line) if line.endswith(".pyc") else line).resolve()
            if path.is_relative_to(self._root):
                name = path.relative_to(self._root)
                if name.parts and not name.parts[0].startswith(".") and name.parts[0] != WRITTEN:
                    yield str(name)
            elif path.is_relative_to(self._code):
                yield str(path)

    def _files(self, name: str) -> list[Path]:
        path = self._root / name
        return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]

    def _changed_since(self, moment: float, name: str) -> bool:
        # What was looked for in vain (an optional file) is noted too.
        return any(file.is_file() and file.stat().st_mtime >= moment for file in self._files(name))

    def _digest(self, name: str) -> str | None:
        """Of a file, or of all files in a folder; None where there is neither."""
        if name not in self._digests:
            files = self._files(name)
            present = all(file.is_file() for file in files)
            digests = [(str(file.relative_to(self._root / name)), sha256(file)) for file in files] if present else None
            self._digests[name] = fingerprint(digests) if digests else None
        return self._digests[name]
