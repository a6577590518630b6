"""Weights are used from wherever their published bytes lie, and from nowhere else."""

import hashlib
import sys
from pathlib import Path

import pytest

from twinloop.errors import LONGEST, RunError
from twinloop.learning.weights import Places, Weights, find

CONTENT = {"model.bin": b"\x00\x01weights", "tokenizer.json": b"{}"}
REMEDY = "run make setup, or choose person/providers=embedded"


def published(package: str = "no-such-package-of-weights") -> Weights:
    files = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
    return Weights("Ear tiny", files, package=package, inside="ear_tiny/model", repository="Someone/ear-tiny")


def keep(folder: Path, **altered: bytes) -> Path:
    folder.mkdir(parents=True)
    for name, content in CONTENT.items():
        (folder / name).write_bytes(altered.get(name.split(".")[0], content))
    return folder


def install(site: Path, monkeypatch: pytest.MonkeyPatch, **altered: bytes) -> Path:
    """A package as pip leaves it; importing it would stop the test."""
    info = site / "ear_tiny-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ear-tiny\nVersion: 1.0\n")
    (info / "RECORD").write_text("")
    folder = keep(site / "ear_tiny/model", **altered)
    (site / "ear_tiny/__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(site))
    return folder


def test_weights_are_found_in_the_folder_that_is_named(tmp_path: Path) -> None:
    folder = keep(tmp_path / "mine")
    assert find(published(), Places(folder=folder)) == folder


def test_weights_are_found_in_an_installed_package_that_is_never_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = install(tmp_path / "site", monkeypatch)
    assert find(published("ear-tiny"), Places()) == folder
    assert "ear_tiny" not in sys.modules


def test_weights_are_found_in_the_cache_of_the_hub(tmp_path: Path) -> None:
    revision = keep(tmp_path / "hub/models--Someone--ear-tiny/snapshots/abc123")
    assert find(published(), Places(hub_cache=tmp_path / "hub")) == revision


def test_another_source_serves_where_one_was_altered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", monkeypatch, model=b"\x00\x02weights")
    revision = keep(tmp_path / "hub/models--Someone--ear-tiny/snapshots/abc123")
    assert find(published("ear-tiny"), Places(hub_cache=tmp_path / "hub")) == revision


@pytest.mark.parametrize("name", list(CONTENT))
def test_a_flipped_byte_is_named_and_refused(tmp_path: Path, name: str) -> None:
    folder = keep(tmp_path / "mine")
    content = bytearray((folder / name).read_bytes())
    content[1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(RunError, match=f"{name} is not what was published.*embedded") as refused:
        find(published(), Places(folder=folder, remedy=REMEDY))
    assert len(str(refused.value)) <= LONGEST


def test_a_missing_package_is_one_line_that_says_what_to_do() -> None:
    with pytest.raises(RunError) as refused:
        find(published(), Places(remedy=REMEDY))
    assert str(refused.value) == f"weights: Ear tiny: package no-such-package-of-weights is not installed: {REMEDY}"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = keep(tmp_path / "mine")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(RunError, match="no tokenizer.json"):
        find(published(), Places(folder=folder))
