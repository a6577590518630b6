"""Runs parametrised notebooks with papermill and turns them into pages with nbconvert.

The kernel is always this very interpreter: no installed kernelspec is needed, and none found in
somebody's home can slip in another Python. Notebooks run side by side because most of their time
is start-up, and one of which nothing that it reads has changed does not run again (`reads`). A parameter that
the notebook does not declare is refused (papermill only warns), and a failing notebook is kept as far as it came.
"""

import ast
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from papermill.exceptions import PapermillExecutionError
from traitlets import Unicode
from traitlets.config import Config

import twinloop
from twinloop.errors import InputError, RunError
from twinloop.progress import bar
from twinloop.reporting.pages import TEMPLATES, Link
from twinloop.reporting.reads import Executions

KERNEL = "python3"
CELL_LIMIT_S = 600
START_LIMIT_S = 120


@dataclass(frozen=True)
class Job:
    """One notebook to run: with which parameters, in which folder, and where its page goes."""

    notebook: Path
    page: Path
    parameters: Mapping[str, Any]


def parameters_of(notebook: Path) -> dict[str, str]:
    """Parameters that the notebook's tagged cell declares, with their default values as written.

    Raises InputError when the file is missing, is no notebook, or is written for another kernel.
    """
    document = _read(notebook)
    kernel = document.metadata.get("kernelspec", {}).get("name", KERNEL)
    if kernel != KERNEL:
        raise InputError(
            f"notebook: {notebook}: expected kernel {KERNEL!r}, found {kernel!r}: save it with a Python kernel"
        )
    sources = [c.source for c in document.cells if "parameters" in c.metadata.get("tags", ())]
    assigned = [s for source in sources for s in ast.parse(source).body if isinstance(s, ast.Assign | ast.AnnAssign)]
    return {
        target.id: ast.unparse(statement.value)
        for statement in assigned
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(target, ast.Name) and statement.value is not None
    }


def check(job: Job) -> None:
    """Raise InputError for a parameter that the notebook does not declare."""
    declared = parameters_of(job.notebook)
    unknown = sorted(set(job.parameters) - set(declared))
    if unknown:
        known = ", ".join(declared) or "none (tag a cell 'parameters')"
        raise InputError(f"notebook: {job.notebook}: unknown parameter {', '.join(unknown)}; declared: {known}")


def execute(
    notebook: Path, output: Path, *, parameters: Mapping[str, Any] | None = None, trace: Path | None = None
) -> nbformat.NotebookNode:
    """Run one notebook in its own folder and write the executed notebook to `output`.

    trace: file in which its kernel notes what it reads.
    Raises InputError for an unknown parameter and RunError, naming the cell and `output`, when a cell fails.
    """
    check(Job(notebook, output, parameters or {}))
    output.parent.mkdir(parents=True, exist_ok=True)
    # A thread of its own has an event loop of its own, which can be closed; so this also works where one runs already.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(_execute, notebook.resolve(), output, dict(parameters or {}), trace).result()


def _execute(notebook: Path, output: Path, parameters: dict[str, Any], trace: Path | None) -> nbformat.NotebookNode:
    # Unix sockets, because freely chosen ports can collide; in /tmp, because their paths allow about 100 characters.
    with tempfile.TemporaryDirectory(prefix="twinloop-", dir="/tmp") as home:
        loop = ensure_event_loop()
        try:
            document: nbformat.NotebookNode = papermill.execute_notebook(
                str(notebook),
                str(output),
                parameters=parameters,
                kernel_name=KERNEL,
                language="python",
                progress_bar=False,
                # A polite end interrupts the kernel first, which it reports as an error on the terminal.
                shutdown_kernel="immediate",
                log_output=False,
                execution_timeout=CELL_LIMIT_S,
                start_timeout=START_LIMIT_S,
                # What a cell prints may come late where the machine is busy; by default that fails after 4 s.
                iopub_timeout=CELL_LIMIT_S,
                kernel_manager_class=ThisInterpreter,
                config=Config({"ThisInterpreter": {"home": home, "trace": str(trace or "")}}),
                resources={"metadata": {"path": str(notebook.parent)}},
            )
        except PapermillExecutionError as error:
            cause = f"{error.ename}: {error.evalue}".strip().splitlines()[0]
            raise RunError(
                f"notebook: {notebook.name}: cell {error.cell_index + 1} failed: {cause}; "
                f"the notebook as far as it came: {output}"
            ) from error
        except (RuntimeError, TimeoutError) as error:
            raise RunError(
                f"notebook: {notebook.name}: {str(error).splitlines()[0]}; as far as it came: {output}"
            ) from error
        finally:
            loop.close()
    return document


def publish(jobs: Sequence[Job], *, root: Path, kept: Path, navigation: Sequence[Link], workers: int) -> int:
    """Run the notebooks that have to run, `workers` at a time, and write each as a page; returns how many ran.

    root: the repository. kept: folder for executed notebooks, which are taken up again where nothing that they read
    has changed, and for one that fails. Raises what the first failing notebook (in the order given) raised, after the
    others finished.
    """
    for job in jobs:
        check(job)
    executions = Executions(kept / "executed", root)
    kept.mkdir(parents=True, exist_ok=True)
    with bar("notebook", len(jobs)) as shown, ThreadPoolExecutor(max_workers=workers) as pool:

        def one(job: Job) -> bool:
            document = executions.recall(job.notebook, job.parameters)
            runs = document is None
            if document is None:
                document = executions.run(job.notebook, job.parameters, execute, kept / job.notebook.name)
            write_executed(document, job.page, navigation=navigation)
            shown.step(note=job.notebook.stem)
            return runs

        futures = [pool.submit(one, job) for job in jobs]
    return sum(future.result() for future in futures)


def write_executed(document: nbformat.NotebookNode, page: Path, *, navigation: Sequence[Link] = ()) -> None:
    """Write an executed notebook as one self-contained HTML page: prose, tables and figures, no code, no scripts."""
    from nbconvert.exporters import HTMLExporter

    from twinloop.files import write_text

    exporter: Any = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="notebook",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    resources = {
        "css": (TEMPLATES / "style.css").read_text(encoding="utf-8"),
        "title": _title(document) or page.stem,
        "navigation": [
            {"text": link.text, "target": link.target, "here": link.target == page.name} for link in navigation
        ],
    }
    body, _ = exporter.from_notebook_node(document, resources)
    write_text(page, body)


class ThisInterpreter(AsyncKernelManager):
    """Starts a kernel of the interpreter that runs now, with this package's code, and a home of its own."""

    home = Unicode().tag(config=True)
    trace = Unicode().tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.transport = "ipc"
        self.connection_file = str(Path(self.home) / "kernel.json")
        sources = str(Path(twinloop.__file__).parents[1])
        start = f"__import__({Executions.__module__!r}, fromlist=['']).note_reads({self.trace!r})"
        noting = [f"--IPKernelApp.exec_lines={start}"] if self.trace else []
        self._spec = KernelSpec(
            **{
                **get_kernel_dict(),
                "argv": [sys.executable, *get_kernel_dict()["argv"][1:], "--HistoryManager.enabled=False", *noting],
            },
            # An IPython home of its own: nobody's start-up files, no history.
            env={
                "IPYTHONDIR": self.home,
                "PYTHONPATH": os.pathsep.join(p for p in (sources, os.environ.get("PYTHONPATH", "")) if p),
            },
        )

    @property
    def kernel_spec(self) -> KernelSpec:
        """The specification that would otherwise be looked up among installed ones."""
        return self._spec


def _read(notebook: Path) -> nbformat.NotebookNode:
    try:
        text = notebook.read_text(encoding="utf-8")
        if not isinstance(json.loads(text), dict):
            raise ValueError("expected a JSON object")
        document: nbformat.NotebookNode = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise InputError(f"notebook: {notebook}: cannot be read ({error.strerror})") from None
    except (ValueError, nbformat.ValidationError) as error:
        raise InputError(f"notebook: {notebook}: not a notebook: {str(error).splitlines()[0]}") from None
    return document


def _title(document: nbformat.NotebookNode) -> str:
    for cell in document.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("# "):
            return str(cell.source.splitlines()[0][2:].strip())
    return ""
