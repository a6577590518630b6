"""What makes two executions the same one, and that the same one has one row."""

import subprocess
from pathlib import Path

import pytest

from twinloop.tracking.execution import NO_GIT, execution_key, find_or_create, git_revision
from twinloop.tracking.store import Store

# Written by a stage, and in git.
HEADLINES = "data/factory/metrics/report.json"
PARAMS = {"factory": {"train": {"epochs": 3}}, "seed": 0}


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    (root / "data/factory/metrics").mkdir(parents=True)
    for name in ("code.py", "params.yaml", "dvc.lock", HEADLINES):
        (root / name).write_text("1\n")
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "first")
    return root


def test_the_key_repeats_and_does_not_depend_on_the_order_of_parameters(checkout: Path) -> None:
    reordered = dict(reversed(PARAMS.items()))
    assert execution_key(PARAMS, checkout) == execution_key(reordered, checkout)


def test_the_key_changes_with_a_parameter(checkout: Path) -> None:
    assert execution_key(PARAMS, checkout) != execution_key(PARAMS | {"seed": 1}, checkout)


@pytest.mark.parametrize(
    ("file", "changes"), [("code.py", True), ("params.yaml", False), ("dvc.lock", False), (HEADLINES, False)]
)
def test_the_key_changes_with_code_but_not_with_what_composition_and_dvc_write(
    file: str, changes: bool, checkout: Path
) -> None:
    before = execution_key(PARAMS, checkout)
    (checkout / file).write_text("2\n")
    assert (execution_key(PARAMS, checkout) != before) is changes


def test_the_key_changes_with_a_binary_file(checkout: Path) -> None:
    (checkout / "weights.bin").write_bytes(bytes(range(256)))
    git(checkout, "add", "weights.bin")
    git(checkout, "commit", "--quiet", "--message", "weights")
    (checkout / "weights.bin").write_bytes(bytes(reversed(range(256))))
    one = execution_key(PARAMS, checkout)
    (checkout / "weights.bin").write_bytes(bytes(256))
    assert execution_key(PARAMS, checkout) != one


def test_a_copy_of_the_checkout_has_the_same_key(checkout: Path, tmp_path: Path) -> None:
    (checkout / "code.py").write_text("2\n")
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(checkout), str(copy)], check=True)
    assert execution_key(PARAMS, copy) == execution_key(PARAMS, checkout)


def test_without_git_the_parameters_alone_make_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    root = tmp_path / "unpacked"
    root.mkdir()
    assert git_revision(root) == NO_GIT
    assert execution_key(PARAMS, root) != execution_key(PARAMS | {"seed": 1}, root)


def test_an_execution_is_found_again(store: Store) -> None:
    first = find_or_create(store, twin="factory", key="k1", tags={"profile": "smoke"})
    assert find_or_create(store, twin="factory", key="k1") == first
    assert find_or_create(store, twin="factory", key="k2") != first
    assert store.client.get_run(first.run_id).data.tags["profile"] == "smoke"


def test_a_row_in_the_bin_is_not_written_to(store: Store) -> None:
    first = find_or_create(store, twin="factory", key="k1")
    store.client.delete_run(first.run_id)
    assert find_or_create(store, twin="factory", key="k1").run_id != first.run_id
