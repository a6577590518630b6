"""What the repository promises about itself: pins, configuration, dependencies, light imports, clean notebooks."""

import ast
import itertools
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest
import yaml

from twinloop.twins import configuration
from twinloop.twins.registry import TWINS, VERBS

ENGINES = ("contracts", "learning", "replication", "vision", "simulation", "scheduling", "tracking", "reporting")
HEAVY = ("torch", "pytorch_lightning", "timm")


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """Who imports whom, without what only the type checker sees.

    The twins' config modules compose the settings of all engines for the loader; a stage gets only those it declares.
    """
    graph = grimp.build_graph("twinloop", exclude_type_checking_imports=True, cache_dir=None)
    for twin in TWINS:
        graph.remove_module(f"twinloop.twins.{twin}.config")
    return graph


def test_the_committed_params_are_the_default_composition(repository: Path) -> None:
    assert configuration.differs_from_default(repository) == []
    configuration.check(repository)


def test_every_direct_dependency_is_pinned_with_hashes(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    named = {re.match(r"[A-Za-z0-9-]+", requirement)[0] for requirement in asked}
    constraints = (repository / "constraints.txt").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([a-z0-9._-]+)==(\S+) \\\n    --hash=sha256:", constraints, re.MULTILINE))
    assert named - set(pinned) == set()
    for name, version in (requirement.split("==") for requirement in asked if "==" in requirement):
        assert pinned[name] == version


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("verb", VERBS)
def test_code_dependencies_follow_from_the_imports(
    repository: Path, imports: grimp.ImportGraph, twin: str, verb: str
) -> None:
    stage = yaml.safe_load((repository / "dvc.yaml").read_text(encoding="utf-8"))["stages"][f"{twin}-{verb}"]
    declared = {dep for dep in stage["deps"] if dep.startswith("src/")}
    reached = imports.find_upstream_modules(f"twinloop.twins.{twin}.{verb}")
    packages = {name.split(".")[1] for name in reached if "." in name} & set(ENGINES)
    expected = {f"src/twinloop/twins/{twin}/{verb}.py"} | {f"src/twinloop/{package}" for package in packages}
    own = {name.split(".")[3] for name in reached if name.startswith(f"twinloop.twins.{twin}.")} - {"paths"}
    expected |= {f"src/twinloop/twins/{twin}/{name}" for name in own}
    assert declared == expected


@pytest.mark.parametrize("verb", ["prepare", "simulate", "schedule", "report", "config"])
def test_torch_is_not_imported_where_it_is_not_needed(verb: str) -> None:
    code = f"import sys, twinloop.cli, twinloop.twins.factory.{verb}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_notebooks_are_clean_and_hold_no_definitions(repository: Path) -> None:
    notebooks = sorted((repository / "notebooks").glob("*.ipynb"))
    assert len(notebooks) == 8
    for path in notebooks:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] != "code":
                continue
            assert cell["outputs"] == [], path.name
            assert cell["execution_count"] is None, path.name
            tree = ast.parse("".join(cell["source"]))
            logic = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.If, ast.Try)
            found = [type(node).__name__ for node in ast.walk(tree) if isinstance(node, logic)]
            assert found == [], f"{path.name}: {found}"


def test_every_stage_of_every_twin_is_in_the_pipeline(repository: Path) -> None:
    stages = yaml.safe_load((repository / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert list(stages) == ["conf", *(f"{twin}-{verb}" for twin in TWINS for verb in VERBS)]
    for name, stage in stages.items():
        assert stage["cmd"].startswith("PYTHONPATH=src python -m twinloop "), name
    assert not any("outs" in stages[f"{twin}-record"] for twin in TWINS)


def test_no_engine_names_a_twin_in_a_message_or_docstring(repository: Path) -> None:
    """An engine names a setting by its class; `Twin.in_params` makes the user's path of it."""
    engines = ("contracts", "learning", "replication", "vision", "simulation", "scheduling", "reporting")
    named = [
        f"{path.relative_to(repository)}:{node.lineno}"
        for engine in engines
        for path in sorted((repository / "src/twinloop" / engine).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.search(rf"\b(?:{'|'.join(TWINS)})\.[a-z]", node.value)
    ]
    assert named == []
