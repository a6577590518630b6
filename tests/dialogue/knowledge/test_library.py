import errno
from collections.abc import Sequence
from pathlib import Path
from typing import Never

import numpy as np
import pytest

from twinloop import progress
from twinloop.dialogue.knowledge import library as library_module
from twinloop.dialogue.knowledge.files import load_index
from twinloop.dialogue.knowledge.library import Library
from twinloop.dialogue.providers.measuring import stopwatch
from twinloop.dialogue.providers.protocols import Encoded
from twinloop.errors import InputError
from twinloop.files import sha256


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    (folder / "old").mkdir(parents=True)
    (folder / "oven.txt").write_text("The oven runs hot at noon.")
    (folder / "old/press.md").write_text("# Press\n\nIt is cleaned on Friday.")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    return folder


def test_a_library_keeps_what_was_added_over_processes(folder: Path, tmp_path: Path) -> None:
    added, refused = Library(tmp_path / "library").add([folder])
    assert [one.name for one in added] == ["press.md", "oven.txt"]
    assert refused == []
    library = Library(tmp_path / "library")
    assert [entry.name for entry in library.list()] == ["oven.txt", "press.md"]
    assert library.get("press.md").pages[0].text == "Press\nIt is cleaned on Friday."
    assert library.get(added[1].digest[:8]).name == "oven.txt"
    assert library.index.search("when is the press cleaned?")[0].name == "press.md"


def test_the_same_document_is_kept_once_under_its_first_name(folder: Path, tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    library.add([folder / "oven.txt"])
    (folder / "copy.txt").write_bytes((folder / "oven.txt").read_bytes())
    added, _ = library.add([folder / "copy.txt"])
    assert added[0].known_as == "oven.txt"
    assert len(library.list()) == 1


def test_a_deleted_document_is_gone_with_its_file(folder: Path, tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    library.add([folder])
    library.delete("oven.txt")
    assert [entry.name for entry in Library(tmp_path / "library").list()] == ["press.md"]
    assert [path.name for path in (tmp_path / "library/documents").iterdir()] == ["press.md"]
    with pytest.raises(InputError, match=r"no document 'oven.txt'"):
        library.get("oven.txt")


def test_what_a_folder_holds_that_cannot_be_read_is_told_and_the_rest_taken(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    library = Library(tmp_path / "library")
    added, refused = library.add([folder])
    assert len(added) == 2
    assert [one.path.name for one in refused] == ["broken.pdf"]
    (folder / "new.txt").write_text("Something new.")
    with pytest.raises(InputError, match="broken PDF"):
        library.add([folder / "new.txt", folder / "broken.pdf"])
    assert [entry.name for entry in Library(tmp_path / "library").list()] == ["new.txt", "oven.txt", "press.md"]
    with pytest.raises(InputError, match="no such file or folder"):
        library.add([folder / "nothing"])


def test_two_documents_of_one_name_are_told_apart_by_digest(folder: Path, tmp_path: Path) -> None:
    (folder / "old/oven.txt").write_text("The old oven.")
    library = Library(tmp_path / "library")
    added, _ = library.add([folder])
    with pytest.raises(InputError, match=r"2 documents are called 'oven.txt': name one by its digest"):
        library.delete("oven.txt")
    old = next(one.digest for one in added if library.get(one.digest).pages[0].text == "The old oven.")
    library.delete(old)
    assert library.get("oven.txt").pages[0].text == "The oven runs hot at noon."


def test_an_index_elsewhere_follows_the_files_that_somebody_puts_in_or_takes_out(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    folder.rename(tmp_path / "ada/documents")
    library = Library(tmp_path / "ada", index=tmp_path / "index")
    assert library.refresh() == []
    assert [entry.name for entry in library.list()] == ["oven.txt", "press.md"]
    (tmp_path / "ada/documents/oven.txt").unlink()
    (tmp_path / "ada/documents/boat.txt").write_text("The boat is red.")
    again = Library(tmp_path / "ada", index=tmp_path / "index")
    again.refresh()
    assert {entry.name for entry in Library(tmp_path / "ada", index=tmp_path / "index").list()} == {
        "boat.txt",
        "press.md",
    }
    assert {path.name for path in (tmp_path / "ada").iterdir()} == {"documents"}


def test_a_file_is_read_once_for_its_digest(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = list[Path]()
    monkeypatch.setattr(library_module, "sha256", lambda path: (hashed.append(path), sha256(path))[1])
    Library(tmp_path / "library").add([folder])
    assert sorted(path.name for path in hashed) == ["oven.txt", "press.md"]


def test_a_file_that_cannot_be_opened_is_told_and_the_rest_of_its_folder_taken(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digest(path: Path) -> str:
        if path.name == "oven.txt":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return sha256(path)

    monkeypatch.setattr(library_module, "sha256", digest)
    library = Library(tmp_path / "library")
    added, refused = library.add([folder])
    assert [one.name for one in added] == ["press.md"]
    assert [one.reason for one in refused] == [
        f"{folder / 'oven.txt'}: cannot be read (Permission denied): make it readable or leave it out"
    ]
    with pytest.raises(InputError, match="Permission denied"):
        library.add([folder / "oven.txt"])


def test_a_document_whose_file_could_not_be_kept_is_not_known(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path) -> Never:
        raise OSError(errno.ENOSPC, "No space left on device")

    library = Library(tmp_path / "library")
    with monkeypatch.context() as patched:
        patched.setattr(library_module, "atomic", full)
        with pytest.raises(OSError, match="No space left"):
            library.add([folder / "oven.txt"])
    assert library.list() == ()
    added, _ = library.add([folder / "oven.txt"])
    assert added[0].known_as is None
    assert library.get("oven.txt").pages[0].text == "The oven runs hot at noon."


class _Looks:
    """An encoder that notes what the library of a folder holds on disk while it works."""

    dimensions, digest = 2, "looks"

    def __init__(self, folder: Path) -> None:
        self._folder, self.there = folder, list[int]()

    def encode(self, texts: Sequence[str]) -> Encoded:
        index = self._folder / "index"
        self.there.append(len(load_index(index, self).entries) if index.exists() else 0)
        return Encoded(np.tile(np.array([1, 0], np.float32), (len(texts), 1)), stopwatch()())


def test_what_took_long_is_on_disk_before_the_next_document_and_a_long_one_says_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(library_module, "WRITTEN_EVERY_S", 0.0)
    monkeypatch.setattr(library_module, "PLAIN_INTERVAL_S", 0.0)
    monkeypatch.setattr(progress, "PLAIN_INTERVAL_S", 0.0)
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "a.txt").write_text("The oven runs hot.")
    (papers / "b.txt").write_text("The press is cleaned on Friday. " * 3000)
    encoder = _Looks(tmp_path / "library")
    Library(tmp_path / "library", encoder).add([papers])
    assert encoder.there[:2] == [0, 1]
    assert len(encoder.there) > 2
    told = capsys.readouterr().err
    assert "document 1/2  b.txt: 64 of " in told
    assert "document 2/2" in told
