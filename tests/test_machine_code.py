import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from twinloop.machine_code import Given
from twinloop.scheduling.solvers import jit as scheduling
from twinloop.simulation import jit as simulation

SRC = ROOT / "src"
DECORATORS = {"machine_code", "inlined"}
RECORD = """
from pathlib import Path
from typing import NamedTuple
from twinloop.machine_code import compiler

class {name}(NamedTuple):
    number: int

@compiler([Path(__file__)])
def number_of(record):
    return record.number

print(number_of({name}(3)))
"""
USER = """
from pathlib import Path
from twinloop.machine_code import compiler
from helper import helper
import helper as other

@compiler([Path(__file__), Path(other.__file__)])
def twice(number):
    return 2 * helper(number)

print(twice(3), sum(twice.stats.cache_hits.values()))
"""
HELPER = """
from pathlib import Path
from twinloop.machine_code import compiler

@compiler([Path(__file__)])
def helper(number):
    return number + {}
"""


def compiled(tree: ast.Module) -> list[ast.FunctionDef]:
    """The functions of a module that become machine code."""
    return [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(mark, ast.Name) and mark.id in DECORATORS for mark in node.decorator_list)
    ]


def used(source: Path) -> set[Path]:
    """The project's modules that a module's compiled functions take something from, itself included."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    functions = compiled(tree)
    parts = [part for function in functions for statement in function.body for part in ast.walk(statement)]
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    modules = {
        node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and names & {alias.asname or alias.name for alias in node.names}
    }
    ours = [name for name in modules if name and name.startswith("twinloop.")]
    return {source, *(SRC / f"{name.replace('.', '/')}.py" for name in ours)} if functions else set()


@pytest.mark.parametrize("engine", [simulation, scheduling], ids=["simulation", "scheduling"])
def test_machine_code_is_made_of_sources_whose_change_is_noticed(engine):
    folder = SRC / "twinloop" / engine.__name__.split(".")[1]
    found = [used(source) for source in folder.rglob("*.py")]
    assert sum(map(bool, found)) > 4
    assert set().union(*found) <= set(engine.SOURCES)


def printed_in(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "user.py"],
        cwd=folder,
        env={"PYTHONPATH": f"{SRC}:."},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_record_that_is_renamed_leaves_no_machine_code_in_the_way(tmp_path):
    for name in ("Before", "After"):
        (tmp_path / "record.py").write_text(RECORD.format(name=name), encoding="utf-8")
        (tmp_path / "user.py").write_text("import record", encoding="utf-8")
        assert printed_in(tmp_path) == "3"


def test_it_is_kept_for_the_next_process_until_what_it_calls_changes(tmp_path):
    def printed() -> str:
        return printed_in(tmp_path)

    (tmp_path / "user.py").write_text(USER, encoding="utf-8")
    (tmp_path / "helper.py").write_text(HELPER.format(1), encoding="utf-8")
    assert [printed(), printed()] == ["8 0", "8 1"]
    (tmp_path / "helper.py").write_text(HELPER.format(10), encoding="utf-8")
    assert printed() == "26 0"


def test_in_a_folder_that_was_given_it_lies_by_package_so_that_checkouts_share_it():
    file = scheduling.HERE / "local" / "graph.py"
    assert Given.get_suitable_cache_subpath(str(file)) == "twinloop.scheduling.solvers.local"
