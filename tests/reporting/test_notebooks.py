import html
import os
import sys
from pathlib import Path

import nbformat
import polars as pl
import pytest

import twinloop
from twinloop.errors import InputError, RunError
from twinloop.files import write_json
from twinloop.reporting.notebooks import Job, execute, parameters_of, publish, write_executed
from twinloop.reporting.pages import Link


def notebook(path: Path, *cells: str, kernel: str = "python3", prose: str = "# A page") -> Path:
    """Write a notebook with one parameter, `root`, and these code cells."""
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    document = nbformat.v4.new_notebook(metadata={"kernelspec": spec})
    declared = nbformat.v4.new_code_cell('root = ".."', metadata={"tags": ["parameters"]})
    document.cells = [nbformat.v4.new_markdown_cell(prose), declared, *map(nbformat.v4.new_code_cell, cells)]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(document, path)
    return path


def printed(document: nbformat.NotebookNode) -> str:
    return "".join(o.get("text", "") for c in document.cells if c.cell_type == "code" for o in c.outputs)


def test_the_kernel_is_this_interpreter_with_this_code_and_nobodys_start_up_files(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "none"))
    book = notebook(
        tmp_path / "book.ipynb",
        "import os, sys, twinloop; print(sys.executable, twinloop.__file__, os.environ['IPYTHONDIR'])",
    )
    executable, package, home = printed(execute(book, tmp_path / "out.ipynb")).split()
    assert executable == sys.executable
    assert Path(package) == Path(twinloop.__file__)
    assert not Path(home).exists()


def test_parameters_reach_the_notebook_and_it_runs_in_its_own_folder(tmp_path):
    book = notebook(tmp_path / "books" / "book.ipynb", "import os; print(root, os.getcwd())")
    before = os.getcwd()  # noqa: PTH109
    assert printed(execute(book, tmp_path / "out.ipynb", parameters={"root": "elsewhere"})).split() == [
        "elsewhere",
        str(tmp_path / "books"),
    ]
    assert os.getcwd() == before  # noqa: PTH109


def test_what_a_cell_prints_may_come_late_as_on_a_busy_machine(tmp_path):
    # The thread that hands prints on sleeps for longer than a client waits by default.
    late = "import time; get_ipython().kernel.iopub_thread.schedule(lambda: time.sleep(6)); print('late')"
    assert printed(execute(notebook(tmp_path / "book.ipynb", late), tmp_path / "out.ipynb")) == "late\n"


def test_declared_parameters_are_listed_with_their_defaults(tmp_path):
    assert parameters_of(notebook(tmp_path / "book.ipynb")) == {"root": "'..'"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        ("{", "not a notebook"),
        ("[]", "not a notebook"),
    ],
)
def test_what_is_no_notebook_is_named(tmp_path, content, message):
    path = tmp_path / "book.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=message):
        parameters_of(path)


def test_a_notebook_for_another_kernel_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"expected kernel 'python3', found 'julia-1.11'"):
        execute(notebook(tmp_path / "book.ipynb", kernel="julia-1.11"), tmp_path / "out.ipynb")


def test_publishing_runs_only_the_notebooks_of_which_something_that_they_read_has_changed(tmp_path):
    for name in ("a", "b"):
        write_json(tmp_path / "data" / f"{name}.json", {"value": 1})
    read = "from twinloop.reporting.results import Outputs; print(Outputs('..').json('data/{}.json'))"
    jobs = [
        Job(notebook(tmp_path / "notebooks" / f"{name}.ipynb", read.format(name)), tmp_path / f"{name}.html", {})
        for name in ("a", "b")
    ]

    def ran() -> int:
        for job in jobs:
            job.page.unlink(missing_ok=True)
        ran = publish(jobs, root=tmp_path, kept=tmp_path / ".kept", navigation=(), workers=2)
        assert all(job.page.is_file() for job in jobs)
        return ran

    assert ran() == 2
    assert ran() == 0
    write_json(tmp_path / "data" / "b.json", {"value": 2})
    assert ran() == 1
    assert "'value': 2" in html.unescape(jobs[1].page.read_text())
    notebook(jobs[0].notebook, "print('other')")
    assert ran() == 1
    assert "other" in jobs[0].page.read_text()


def test_code_and_tables_that_a_notebook_reads_are_noted(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "drawing.py").write_text("SHADE = 1\n")
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "x.parquet")
    source = (
        "import sys; sys.path.insert(0, '../src'); import drawing\n"
        "from twinloop.reporting.results import Outputs; print(drawing.SHADE, Outputs('..').table('x.parquet')['x'][0])"
    )
    jobs = [Job(notebook(tmp_path / "notebooks" / "book.ipynb", source), tmp_path / "book.html", {})]

    def ran() -> int:
        return publish(jobs, root=tmp_path, kept=tmp_path / ".kept", navigation=(), workers=1)

    assert (ran(), ran()) == (1, 0)
    (tmp_path / "src" / "drawing.py").write_text("SHADE = 23\n")
    assert (ran(), ran()) == (1, 0)
    assert "23 1" in (tmp_path / "book.html").read_text()
    pl.DataFrame({"x": [7]}).write_parquet(tmp_path / "x.parquet")
    assert (ran(), ran()) == (1, 0)
    assert "23 7" in (tmp_path / "book.html").read_text()


def test_every_failing_notebook_is_kept_and_the_first_is_told(tmp_path):
    jobs = [
        Job(notebook(tmp_path / f"book{k}.ipynb", source), tmp_path / f"book{k}.html", {})
        for k, source in enumerate(["print(1)", "1 / 0", "[][1]"])
    ]
    with pytest.raises(RunError, match=r"book1.ipynb: cell 3 failed: ZeroDivisionError"):
        publish(jobs, root=tmp_path, kept=tmp_path / "kept", navigation=(), workers=2)
    assert sorted(p.name for p in (tmp_path / "kept").glob("*.ipynb")) == ["book1.ipynb", "book2.ipynb"]


def test_a_page_shows_prose_and_results_but_no_code(tmp_path):
    book = notebook(
        tmp_path / "book.ipynb", "hidden = 41; print(hidden + 1)", prose="# Surfaces & flaws\n\nRead *this*."
    )
    document = execute(book, tmp_path / "out.ipynb")
    write_executed(
        document, tmp_path / "book.html", navigation=(Link("Start", "index.html"), Link("Here", "book.html"))
    )
    page = (tmp_path / "book.html").read_text()
    assert "<title>Surfaces &amp; flaws</title>" in page
    assert "<em>this</em>" in page
    assert "<pre>42\n</pre>" in page
    assert "hidden" not in page
    assert '<a class="here" href="book.html">Here</a>' in page
