"""What the repository promises about itself: pins, configuration, dependencies, light imports, clean notebooks."""

import ast
import itertools
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests import code_dependencies
from twinloop.twins import configuration, registry

HEAVY = ("torch", "pytorch_lightning", "timm")


def test_the_committed_params_are_the_default_composition(repository: Path) -> None:
    assert configuration.differs_from_default(repository) == []
    configuration.check(repository)


def test_every_direct_dependency_is_pinned_with_hashes(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    # The pins have normalised names (PEP 503).
    named = {re.sub(r"[._]", "-", re.match(r"[A-Za-z0-9._-]+", requirement)[0]) for requirement in asked}
    constraints = (repository / "constraints.txt").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([a-z0-9._-]+)==(\S+) \\\n    --hash=sha256:", constraints, re.MULTILINE))
    assert named - set(pinned) == set()
    for name, version in (requirement.split("==") for requirement in asked if "==" in requirement):
        assert pinned[name] == version


def test_code_dependencies_follow_from_the_imports() -> None:
    code = code_dependencies.derived()
    declared = code_dependencies.declared()
    for stage, rooms in code.items():
        assert declared[stage] == rooms, f"{stage}: `python -m tests.code_dependencies` writes them into dvc.yaml"


@pytest.mark.parametrize("verb", ["prepare", "simulate", "schedule", "report", "config"])
def test_torch_is_not_imported_where_it_is_not_needed(verb: str) -> None:
    code = f"import sys, twinloop.cli, twinloop.twins.factory.{verb}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_notebooks_are_clean_and_hold_no_definitions(repository: Path) -> None:
    notebooks = [*(repository / "notebooks").glob("*.ipynb"), *(repository / "notebooks").glob("[a-z]*/*.ipynb")]
    assert len(notebooks) == 17
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
    of_twins = [f"{twin.name}-{verb}" for twin in registry.chosen() for verb in twin.verbs]
    assert list(stages) == ["conf", *of_twins, "front"]
    for name, stage in stages.items():
        assert stage["cmd"].startswith("PYTHONPATH=src python -m twinloop "), name
    assert not any("outs" in stages[f"{twin}-record"] for twin in registry.TWINS)


def test_no_engine_names_a_twin_in_a_message_or_docstring(repository: Path) -> None:
    """An engine names a setting by its class; `Twin.in_params` makes the user's path of it."""
    engines = (
        *("contracts", "learning", "replication", "vision", "prognostics", "dialogue"),
        *("simulation", "scheduling", "reporting"),
    )
    named = [
        f"{path.relative_to(repository)}:{node.lineno}"
        for engine in engines
        for path in sorted((repository / "src/twinloop" / engine).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.search(rf"(?<![\w./])(?:{'|'.join(registry.TWINS)})\.[a-z]", node.value)
    ]
    assert named == []
