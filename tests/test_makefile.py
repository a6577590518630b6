"""`make setup` knows what is installed by what the pins say and where it lies, not by when a file was touched."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PYTHON = """#!/bin/sh
# Stands for Python and pip, whose work takes minutes: it notes what it was asked.
echo "$0 $*" >> "$CALLS"
case "$*" in
  "-m venv .venv") mkdir -p .venv/bin && cp "$PYTHON_STUB" .venv/bin/python ;;
  *"-r .venv/weight.txt") cat .venv/weight.txt >> "$CALLS"; ! grep -q "${VANISHED:-nothing has}" .venv/weight.txt ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose set-up has been made."""
    root = tmp_path / "here" / "twinloop"
    root.mkdir(parents=True)
    for name in ("Makefile", "constraints.txt", "constraints-weights.txt", "pyproject.toml"):
        shutil.copy2(repository / name, root)
    stub = tmp_path / "python3.11"
    stub.write_text(PYTHON)
    stub.chmod(0o755)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("PYTHON_STUB", str(stub))
    set_up(root)
    return root


def made(root: Path) -> str:
    """What `make setup` prints."""
    command = ["make", "-s", "setup", f"PYTHON={os.environ['PYTHON_STUB']}"]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


def set_up(root: Path) -> list[str]:
    """What `make setup` asks Python for."""
    calls = Path(os.environ["CALLS"])
    calls.write_text("")
    made(root)
    return [line.partition(" ")[2] for line in calls.read_text().splitlines()]


def installs(calls: list[str]) -> bool:
    return any("-r constraints.txt" in call for call in calls)


def test_it_installs_the_pins_with_hashes_and_compiles_once(checkout: Path) -> None:
    assert set_up(checkout) == []
    shutil.rmtree(checkout / ".venv")
    calls = set_up(checkout)
    assert any(call.endswith("--require-hashes -r constraints.txt") for call in calls)
    assert calls[-2] == "-m twinloop compile"


def test_weights_that_have_vanished_are_named_and_the_others_installed(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = [line for line in (checkout / "constraints-weights.txt").read_text().splitlines() if "==" in line]
    names = [pin.split()[0] for pin in pins]
    shutil.rmtree(checkout / ".venv")
    monkeypatch.setenv("VANISHED", names[0])
    said = made(checkout)
    assert f"weights {names[0]} cannot be had" in said
    assert names[1] not in said
    asked = Path(os.environ["CALLS"]).read_text()
    assert all(f"{name} " in asked for name in names)
    assert asked.count("--hash=sha256:") >= len(names)


def test_files_that_were_merely_touched_install_nothing(checkout: Path) -> None:
    for name in ("constraints.txt", "constraints-weights.txt", "pyproject.toml"):
        (checkout / name).touch()
    assert set_up(checkout) == []


def test_other_pins_are_installed(checkout: Path) -> None:
    with (checkout / "constraints.txt").open("a") as pins:
        pins.write("# another pin\n")
    assert installs(set_up(checkout))
    assert set_up(checkout) == []


def test_after_a_move_commands_start_the_python_beside_them(checkout: Path) -> None:
    command = checkout / ".venv/bin/dvc"
    command.write_text(f"#!{checkout}/.venv/bin/python\nimport dvc\n")
    moved = checkout.parents[1] / "there"
    checkout.rename(moved)
    assert installs(set_up(moved))
    assert (moved / ".venv/bin/dvc").read_text().splitlines()[0] == f"#!{moved}/.venv/bin/python"
    assert set_up(moved) == []


def test_checkouts_may_share_an_environment_by_a_link(checkout: Path) -> None:
    other = checkout.parent / "other"
    shutil.copytree(checkout, other, ignore=shutil.ignore_patterns(".venv"))
    (other / ".venv").symlink_to(checkout / ".venv")
    assert set_up(other) == []
    assert set_up(checkout) == []
