"""Archives are unpacked whole, or refused with nothing written."""

import io
import stat
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from twinloop.errors import InputError
from twinloop.vision.datasets.archives import is_archive, opened, unpack
from twinloop.vision.datasets.build import build
from twinloop.vision.datasets.inspection import inspect
from twinloop.vision.datasets.settings import ArchiveSettings, DatasetSettings

LIMITS = ArchiveSettings(max_files=5, max_bytes=30_000_000, max_ratio=50)


def zipped(path: Path, *members: tuple[str, bytes, int]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in members:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return path


def taped(path: Path, *members: tuple[str, bytes, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content, kind in members:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size = kind, len(content) if kind == tarfile.REGTYPE else 0
            entry.linkname = "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            archive.addfile(entry, io.BytesIO(content))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_files_and_folders_are_unpacked(tmp_path: Path, name: str) -> None:
    if name.endswith("zip"):
        archive = zipped(tmp_path / name, ("good/1.png", b"one", 0), ("x/y/2.png", b"two", stat.S_IFREG | 0o600))
    else:
        members = (("./good/1.png", b"one", tarfile.REGTYPE), ("x/y", b"", tarfile.DIRTYPE))
        archive = taped(tmp_path / name, *members, ("x/y/2.png", b"two", tarfile.REGTYPE))
    assert is_archive(archive)
    unpack(archive, tmp_path / "out", limits=LIMITS)
    assert contents(tmp_path / "out") == {"good/1.png": b"one", "x/y/2.png": b"two"}


HOSTILE_ZIPS = {
    "climbs": [("../evil.png", b"x", 0)],
    "climbs deep": [("good/../../evil.png", b"x", 0)],
    "absolute": [("/tmp/evil.png", b"x", 0)],
    "drive": [("C:/evil.png", b"x", 0)],
    "backslash": [("..\\evil.png", b"x", 0)],
    "link": [("good/link", b"/etc/passwd", stat.S_IFLNK | 0o777)],
    "device": [("good/pipe", b"", stat.S_IFIFO | 0o600)],
    "too many": [(f"good/{i}.png", b"x", 0) for i in range(6)],
    "ratio": [("good/bomb.png", bytes(20_000_000), 0)],
    "twice": [("good/1.png", b"x", 0), ("good/1.png/2.png", b"x", 0)],
    "long name": [("good/" + "n" * 300, b"x", 0)],
    "deep": [("/".join("d" * 40) + "/1.png", b"x", 0)],
}


@pytest.mark.parametrize("members", HOSTILE_ZIPS.values(), ids=list(HOSTILE_ZIPS))
def test_a_hostile_zip_is_refused_and_nothing_is_written(tmp_path: Path, members: list[tuple[str, bytes, int]]) -> None:
    archive = zipped(tmp_path / "a.zip", ("good/fine.png", b"fine", 0), *members)
    with pytest.raises(InputError, match="archive refused, nothing kept"):
        unpack(archive, tmp_path / "inner" / "out", limits=LIMITS)
    assert contents(tmp_path).keys() == {"a.zip"}


HOSTILE_TARS = {
    "climbs": ("../evil.png", b"x", tarfile.REGTYPE),
    "absolute": ("/tmp/evil.png", b"x", tarfile.REGTYPE),
    "symbolic link": ("good/link", b"", tarfile.SYMTYPE),
    "hard link": ("good/link", b"", tarfile.LNKTYPE),
    "character device": ("good/null", b"", tarfile.CHRTYPE),
    "block device": ("good/disk", b"", tarfile.BLKTYPE),
    "pipe": ("good/pipe", b"", tarfile.FIFOTYPE),
    "bomb": ("good/bomb.png", bytes(20_000_000), tarfile.REGTYPE),
    "newline": ("../\n.png", b"x", tarfile.REGTYPE),
}


@pytest.mark.parametrize("member", HOSTILE_TARS.values(), ids=list(HOSTILE_TARS))
def test_a_hostile_tar_is_refused_and_nothing_is_written(tmp_path: Path, member: tuple[str, bytes, bytes]) -> None:
    archive = taped(tmp_path / "a.tar.gz", ("good/fine.png", b"fine", tarfile.REGTYPE), member)
    with pytest.raises(InputError, match="archive refused, nothing kept") as refusal:
        unpack(archive, tmp_path / "inner" / "out", limits=LIMITS)
    assert "\n" not in str(refusal.value)
    assert contents(tmp_path).keys() == {"a.tar.gz"}


def test_bytes_are_counted_while_they_are_written(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", *((f"good/{i}.png", bytes(range(256)) * 8, 0) for i in range(4)))
    with pytest.raises(InputError, match="more than 5000 bytes"):
        unpack(archive, tmp_path / "out", limits=ArchiveSettings(max_bytes=5000))
    assert not (tmp_path / "out").exists()


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", ("good/1.png", b"secret", 0))
    content = bytearray(archive.read_bytes())
    # Bit 0 of the flags, in the local header and in the central directory.
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(bytes(content))
    with pytest.raises(InputError, match="encrypted"):
        unpack(archive, tmp_path / "out", limits=LIMITS)


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_a_damaged_archive_is_refused(tmp_path: Path, name: str) -> None:
    noise = bytes((i * 7919 + i // 3) % 251 for i in range(60_000))
    if name.endswith("zip"):
        archive = zipped(tmp_path / name, ("good/1.png", noise, 0))
        content = bytearray(archive.read_bytes())
        content[200:260] = bytes(60)
        archive.write_bytes(bytes(content))
    else:
        archive = taped(tmp_path / name, ("good/1.png", noise, tarfile.REGTYPE))
        archive.write_bytes(archive.read_bytes()[:-400])
    with pytest.raises(InputError, match="fetch it again"):
        unpack(archive, tmp_path / "out", limits=LIMITS)
    assert not (tmp_path / "out").exists()


def test_other_files_are_no_archives(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no archive")
    assert not is_archive(tmp_path / "notes.txt")
    assert not is_archive(tmp_path)


def test_backslashes_between_folders_are_folders(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("parts\\good\\1.png", b"x")
        packed.writestr("parts\\empty\\", b"")
    unpack(tmp_path / "a.zip", tmp_path / "out", limits=ArchiveSettings())
    assert (tmp_path / "out" / "parts" / "good" / "1.png").read_bytes() == b"x"
    assert (tmp_path / "out" / "parts" / "empty").is_dir()


def test_a_zip_that_was_cut_off_is_told(tmp_path: Path) -> None:
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w") as packed:
        packed.writestr("good/1.png", bytes(5000))
    whole.write_bytes(whole.read_bytes()[:-100])
    with (
        pytest.raises(InputError, match=r"begins as a zip and has no end.*fetch it again"),
        opened(whole, tmp_path / "scratch", limits=ArchiveSettings()),
    ):
        pass


def test_what_is_wrong_inside_is_told_of_the_archive_and_not_of_where_it_was_unpacked(tmp_path: Path) -> None:
    packed = zipped(tmp_path / "mine.zip", ("readme", b"nothing", 0))
    settings = DatasetSettings(kind="auto", source=str(packed))
    with pytest.raises(InputError, match=r"mine\.zip: no known layout") as told:
        build(settings, packed, tmp_path / "d", seed=1, workers=1)
    assert "unpacked" not in str(told.value)
    found = inspect(packed, tmp_path / "unpacked", replace(settings, kind="voc"), workers=1)
    assert f"{packed}: expected Annotations" in found.problems[0][1]
