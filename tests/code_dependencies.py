"""The code that a stage depends on, derived from the import graph: the rooms of the engines that its imports reach.

A room is a subpackage or a module of an engine. `python -m tests.code_dependencies` writes what is derived to dvc.yaml.
"""

import ast
import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import grimp
import yaml

from twinloop.twins import registry

ROOT = Path(__file__).resolve().parents[1]
ENGINES = (
    "learning",
    "replication",
    "vision",
    "prognostics",
    "dialogue",
    "simulation",
    "scheduling",
    "tracking",
    "reporting",
)
# What the registry hands out carries no result; a config module composes the settings of all engines for the loader,
# and a stage gets only the sections that it declares.
DECLARATIONS = ("config", "paths", "twin")
# Files that a module reads as its own.
READ = {"twinloop.reporting.pages": "src/twinloop/reporting/templates"}
REGISTRY = "twinloop.twins.registry"
REPORT_FIGURES = "twinloop.reporting.figures"
FRONT = "front"


class CodeDependencies:
    """Who imports whom, without what only the type checker sees."""

    def __init__(self) -> None:
        self.graph = _graph()
        # An engine's figures are what its objects show in a notebook: only a report's output comes from them.
        self._without_faces = _graph(leave_out={f"twinloop.{engine}.figures" for engine in ENGINES} - {REPORT_FIGURES})

    def of_stage(self, twin: str, verb: str) -> set[str]:
        """Code deps of one stage, as dvc.yaml names them."""
        start = [f"twinloop.twins.{twin}.{verb}"]
        if verb != "report":
            return _rooms(self._without_faces, start)
        return _rooms(self.graph, [*start, *_imported_by_notebooks(ROOT / "notebooks" / twin, self.graph.modules)])

    def of_front(self) -> set[str]:
        """Code deps of the stage that writes the front page over all twins."""
        return _rooms(self._without_faces, ["twinloop.tools.front"])


def _graph(leave_out: Collection[str] = ()) -> grimp.ImportGraph:
    graph = grimp.build_graph("twinloop", exclude_type_checking_imports=True, cache_dir=None)
    declarations = {f"twinloop.twins.{twin}.{name}" for twin in registry.TWINS for name in DECLARATIONS}
    for module in graph.modules:
        if module in declarations or any(f"{module}.".startswith(f"{left}.") for left in (*leave_out, REGISTRY)):
            graph.remove_module(module)
    return graph


def _rooms(graph: grimp.ImportGraph, start: list[str]) -> set[str]:
    reached = set(start).union(*(graph.find_upstream_modules(module) for module in start))
    return {room for module in reached for room in _room(module)}


def _room(module: str) -> Iterator[str]:
    if module in READ:
        yield READ[module]
    parts = module.split(".")
    if parts[1:2] == ["contracts"]:
        yield "src/twinloop/contracts"
    elif parts[1:2] == ["twins"] and len(parts) > 3:
        yield _path(parts[:4])
    elif parts[1:2] == ["tools"] or (parts[1:2] and parts[1] in ENGINES):
        yield _path(parts[:3]) if len(parts) > 2 else f"{_path(parts)}/__init__.py"


def _path(parts: list[str]) -> str:
    place = "/".join(("src", *parts))
    return place if (ROOT / place).is_dir() else f"{place}.py"


def _imported_by_notebooks(folder: Path, modules: set[str]) -> list[str]:
    sources = [
        "".join(cell["source"])
        for path in folder.glob("*.ipynb")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    imports = [node for text in sources for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    names = {name for node in imports for name in (node.module, *(f"{node.module}.{a.name}" for a in node.names))}
    return sorted(name for name in names if name in modules)


def declared(root: Path = ROOT) -> dict[str, set[str]]:
    """Stage → its code deps in dvc.yaml."""
    stages = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    return {name: {dep for dep in stage["deps"] if dep.startswith("src/")} for name, stage in stages.items()}


def derived() -> dict[str, set[str]]:
    """Stage → its code deps as the imports say."""
    code = CodeDependencies()
    stages = {
        f"{twin.name}-{verb}": code.of_stage(twin.name, verb) for twin in registry.chosen() for verb in twin.verbs
    }
    return {**stages, FRONT: code.of_front()}


def main() -> None:
    """Write the derived code deps into dvc.yaml, after each stage's other deps."""
    path = ROOT / "dvc.yaml"
    blocks = re.split(r"(?m)^(?=  [\w-]+:$)", path.read_text(encoding="utf-8"))
    code = derived()
    for place, block in enumerate(blocks):
        name = block.partition(":")[0].strip()
        if name in code:
            kept = re.sub(r"(?m)^      - src/\S+\n", "", block)
            lines = "".join(f"      - {dep}\n" for dep in sorted(code[name]))
            blocks[place] = re.sub(r"(?m)^    deps:\n((?:      - .*\n)*)", lambda m: f"{m[0]}{lines}", kept, count=1)  # noqa: B023
    path.write_text("".join(blocks), encoding="utf-8")


if __name__ == "__main__":
    main()
