"""Zip and tar archives from anywhere, unpacked so that they cannot harm.

Names that leave the target, links, devices, encrypted members and bombs (too many files, too many
bytes, too high a ratio) refuse the whole archive. Bytes are counted while they are written, not
taken from the archive's own headers.
"""

import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NoReturn

from twinloop.errors import InputError
from twinloop.vision.datasets.samples import printable
from twinloop.vision.datasets.settings import ArchiveSettings

CHUNK = 1 << 20
ZIP = b"PK\x03\x04"
# Below this size any ratio is harmless: a folder of blank test images packs very well.
RATIO_FROM_BYTES = 10_000_000
BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError)


def is_archive(path: Path) -> bool:
    """Whether `path` is a file that can be read as zip or tar (also compressed)."""
    return path.is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))


@contextmanager
def opened(source: Path, scratch: Path, *, limits: ArchiveSettings) -> Iterator[Path]:
    """The folder `source`, or what the archive `source` holds: unpacked into the new folder `scratch` for the while.

    Raises InputError where `source` is neither, or a refused archive.
    """
    shown = printable(str(source))
    if not source.exists():
        raise InputError(f"data: {shown}: no such file or folder: see DatasetSettings.source")
    if source.is_dir():
        yield source
        return
    if not is_archive(source):
        with source.open("rb") as stream:
            if stream.read(len(ZIP)) == ZIP:
                _refuse(source, "begins as a zip and has no end, as where its copy was cut off: fetch it again")
        raise InputError(f"data: {shown}: expected a folder, a zip or a tar: see DatasetSettings.source")
    unpack(source, scratch, limits=limits)
    try:
        yield scratch
    except InputError as error:
        # Where it lay for the while says nothing to whoever knows the archive.
        raise InputError(str(error).replace(str(scratch), shown)) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def unpack(archive: Path, target: Path, *, limits: ArchiveSettings) -> None:
    """Unpack a zip or tar into the new folder `target`. Raises InputError and leaves nothing behind."""
    target.mkdir(parents=True)
    try:
        _unpack(archive, target, limits)
    except BaseException as error:
        shutil.rmtree(target, ignore_errors=True)
        if isinstance(error, BROKEN):
            _refuse(archive, f"cannot be read ({str(error)[:120] or type(error).__name__}): fetch it again")
        raise


def _unpack(archive: Path, target: Path, limits: ArchiveSettings) -> None:
    packed = archive.stat().st_size
    written = 0
    for number, (name, stream) in enumerate(_members(archive), start=1):
        if number > limits.max_files:
            _refuse(archive, f"more than {limits.max_files} members (ArchiveSettings.max_files)")
        path = target.joinpath(*_parts(archive, name))
        try:
            if stream is None:
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                while chunk := stream.read(CHUNK):
                    written += len(chunk)
                    _check_size(archive, written, packed, limits)
                    file.write(chunk)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            _refuse(archive, f"member {printable(name)!r} occurs twice or as file and folder")


def _check_size(archive: Path, written: int, packed: int, limits: ArchiveSettings) -> None:
    if written > limits.max_bytes:
        _refuse(archive, f"unpacks to more than {limits.max_bytes} bytes (ArchiveSettings.max_bytes)")
    if written > RATIO_FROM_BYTES and written > limits.max_ratio * packed:
        _refuse(archive, f"unpacks to more than {limits.max_ratio:g} times its size (ArchiveSettings.max_ratio)")


def _members(archive: Path) -> Iterator[tuple[str, IO[bytes] | None]]:
    """Name and content of every member, None for a folder; anything that is neither refuses the archive."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    _refuse(archive, f"member {printable(entry.filename)!r} is a link or a device")
                if entry.flag_bits & 1:
                    _refuse(archive, f"member {printable(entry.filename)!r} is encrypted")
                # Some tools of Windows write backslashes between folders, which the format does not know.
                name = entry.filename.replace("\\", "/")
                if name.endswith("/"):
                    yield name, None
                else:
                    with packed.open(entry) as stream:
                        yield name, stream
        return
    with tarfile.open(archive, "r:*") as tape:
        for member in tape:
            if member.isdir():
                yield member.name, None
            elif member.isreg():
                yield member.name, tape.extractfile(member)
            else:
                _refuse(archive, f"member {printable(member.name)!r} is a link or a device")


def _parts(archive: Path, name: str) -> tuple[str, ...]:
    path = PurePosixPath(name)
    parts = tuple(part for part in path.parts if part != ".")
    too_long = any(len(part.encode("utf-8", "surrogateescape")) > 255 for part in parts) or len(parts) > 32
    if path.is_absolute() or ".." in parts or "\\" in name or "\0" in name or name[1:2] == ":" or too_long:
        _refuse(archive, f"member {printable(name)[:200]!r} does not stay inside it")
    return parts


def _refuse(archive: Path, reason: str) -> NoReturn:
    raise InputError(f"data: {archive}: archive refused, nothing kept: {reason}")
