import ast
from pathlib import Path

from twinloop.simulation import jit

ROOT = Path(jit.__file__).parents[2]


def imported(source: Path) -> set[Path]:
    """The project's modules that a module takes something from."""
    found = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("twinloop."):
            found.add(ROOT / ((node.module or "").replace(".", "/") + ".py"))
    return found


def test_machine_code_is_made_of_sources_whose_change_is_noticed():
    using = [source for source in ROOT.rglob("*.py") if "@machine_code" in source.read_text(encoding="utf-8")]
    assert len(using) > 4
    assert set(using) <= set(jit.SOURCES)
    assert set().union(*map(imported, using)) <= set(jit.SOURCES)


def test_a_change_of_any_source_gives_another_folder(tmp_path, monkeypatch):
    before = jit.kept_in()
    changed = tmp_path / "kernel.py"
    changed.write_text("# changed\n", encoding="utf-8")
    monkeypatch.setattr(jit, "SOURCES", (*jit.SOURCES[1:], changed))
    assert jit.kept_in() != before
    assert jit.kept_in() == jit.kept_in()


def test_compiled_functions_lie_below_the_folder_that_numba_was_given(tmp_path, monkeypatch):
    monkeypatch.setattr(jit.CONFIG, "CACHE_DIR", str(tmp_path))
    assert Path(jit.kept_in()).parent == tmp_path
