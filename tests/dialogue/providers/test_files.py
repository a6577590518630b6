"""What is kept under a name comes back; no name leads out of the folder."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinloop.dialogue.providers.files import FolderStorage
from twinloop.dialogue.providers.protocols import Storage
from twinloop.errors import LONGEST, InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept"


@pytest.fixture
def storage(folder: Path) -> FolderStorage:
    return FolderStorage(folder)


def test_what_is_written_is_read_listed_and_deleted(storage: FolderStorage) -> None:
    assert isinstance(storage, Storage)
    storage.write("turns/2.wav", b"two")
    storage.write("turns/1.wav", b"one")
    storage.write("profile.json", b"{}")
    assert storage.read("turns/1.wav") == b"one"
    assert storage.names() == ["profile.json", "turns/1.wav", "turns/2.wav"]
    assert storage.names("turns/") == ["turns/1.wav", "turns/2.wav"]
    storage.delete("turns/1.wav")
    assert storage.names("turns/") == ["turns/2.wav"]


def test_nothing_is_kept_in_a_folder_that_is_not_there(storage: FolderStorage) -> None:
    assert storage.names() == []


@pytest.mark.parametrize("act", ["read", "delete"])
def test_a_name_of_nothing_is_refused(storage: FolderStorage, act: str) -> None:
    with pytest.raises(InputError, match=r"'turns/9.wav': nothing is kept"):
        getattr(storage, act)("turns/9.wav")


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../secret", "turns/../../secret", "/etc/passwd", "turns//1.wav", "turns/", ".hidden", "a/.b"),
        *("a\\b", "C:x", "a\x00b", "a\nb", "~/x/$HOME", " a", "a ", "x" * 300, "turns/\u202efdp.wav"),
    ],
)
def test_a_name_that_could_lead_elsewhere_is_refused(storage: FolderStorage, folder: Path, name: str) -> None:
    for act in (storage.read, storage.delete, lambda name: storage.write(name, b"x")):
        with pytest.raises(InputError, match="expected a name such as") as refused:
            act(name)
        assert len(str(refused.value)) <= LONGEST
    assert not list(folder.parent.rglob("*.wav"))


@pytest.mark.parametrize("place", ["turns", "1.wav"])
def test_a_link_is_not_followed(storage: FolderStorage, folder: Path, tmp_path: Path, place: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "1.wav").write_bytes(b"secret")
    folder.mkdir()
    (folder / place).symlink_to(outside / "1.wav" if place == "1.wav" else outside)
    name = "1.wav" if place == "1.wav" else "turns/1.wav"
    for act in (storage.read, storage.delete, lambda name: storage.write(name, b"x")):
        with pytest.raises(InputError, match="is a link"):
            act(name)
    assert storage.names() == []
    assert (outside / "1.wav").read_bytes() == b"secret"


def test_content_and_a_folder_cannot_have_one_name(storage: FolderStorage) -> None:
    storage.write("a/b", b"1")
    with pytest.raises(InputError, match="names a folder"):
        storage.write("a", b"2")
    with pytest.raises(InputError, match="names content already"):
        storage.write("a/b/c", b"3")
    assert storage.names() == ["a/b"]


def test_a_write_that_fails_leaves_what_was_there(
    storage: FolderStorage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.write("a", b"before")
    monkeypatch.setattr("os.fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "no space left")))
    with pytest.raises(OSError, match="no space"):
        storage.write("a", b"after")
    assert storage.read("a") == b"before"
    assert [path.name for path in folder.iterdir()] == ["a"]


@given(name=st.text(max_size=30))
def test_any_name_is_kept_within_the_folder_or_refused(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    root = tmp_path_factory.mktemp("any")
    storage = FolderStorage(root / "kept")
    try:
        storage.write(name, b"x")
    except InputError:
        assert list(root.rglob("*")) == []
    else:
        assert storage.names() == [name]
        assert [path.name for path in root.iterdir()] == ["kept"]
