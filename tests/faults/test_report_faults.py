"""Faults 28 (a notebook fails, an unknown parameter) and 32 (hostile text in data reaches a report)."""

from pathlib import Path

import nbformat
import pytest
from markupsafe import Markup

from twinloop.errors import InputError, RunError
from twinloop.reporting.notebooks import execute, write_executed
from twinloop.reporting.pages import Link, from_markdown, write_plain

HOSTILE = "<script>alert(1)</script>"


def notebook(path: Path, *cells: str) -> Path:
    document = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    declared = nbformat.v4.new_code_cell('root = ".."', metadata={"tags": ["parameters"]})
    document.cells = [declared, *map(nbformat.v4.new_code_cell, cells)]
    nbformat.write(document, path)
    return path


def test_fault_28_a_failing_notebook_is_kept_as_far_as_it_came(tmp_path):
    book, kept = (
        notebook(tmp_path / "book.ipynb", "print('before')", "1 / 0", "print('after')"),
        tmp_path / "kept.ipynb",
    )
    with pytest.raises(RunError, match=rf"book.ipynb: cell 3 failed: ZeroDivisionError: division by zero; .*{kept}"):
        execute(book, kept)
    outputs = [output for cell in nbformat.read(kept, 4).cells for output in cell.get("outputs", [])]
    assert [output.get("text", output.get("ename")) for output in outputs] == ["before\n", "ZeroDivisionError"]


def test_fault_28_an_unknown_parameter_is_refused_before_anything_runs(tmp_path):
    book, kept = notebook(tmp_path / "book.ipynb", "print(root)"), tmp_path / "kept.ipynb"
    with pytest.raises(InputError, match=r"unknown parameter rooot; declared: root"):
        execute(book, kept, parameters={"rooot": "x"})
    assert not kept.exists()


def test_fault_32_hostile_text_is_escaped_on_every_page(tmp_path):
    book = notebook(
        tmp_path / "book.ipynb",
        "from twinloop.reporting.tables import Table\n"
        "from twinloop.reporting.figures.model import recalls\n"
        f"hostile = {HOSTILE!r}\n"
        "print(hostile)",
        "Table.of([hostile], [[hostile]], caption=hostile)",
        "recalls({hostile: (3, 4)})",
        "hostile",
    )
    write_executed(
        execute(book, tmp_path / "out.ipynb"), tmp_path / "book.html", navigation=[Link(HOSTILE, f'"{HOSTILE}')]
    )
    write_plain(
        tmp_path / "card.html",
        title=HOSTILE,
        content=from_markdown(f"# {HOSTILE}\n\n[x](javascript:alert(1))\n\n| a |\n|---|\n| {HOSTILE} |")
        + Markup("<pre>{}</pre>").format(HOSTILE),
        navigation=[Link(HOSTILE, f'"{HOSTILE}')],
    )
    for page in ("book.html", "card.html"):
        text = (tmp_path / page).read_text()
        assert "alert(1)" in text
        assert "<script" not in text
        assert 'href="javascript:' not in text
