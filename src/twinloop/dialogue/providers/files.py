"""Files kept by name in a folder of this machine."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.dialogue.providers.surroundings import Surroundings
from twinloop.errors import InputError
from twinloop.files import atomic

# Parts of letters, digits, and signs that no shell, address or file system reads as anything else.
PART = re.compile(r"[\w-][\w.+@ -]*", re.ASCII)
LONGEST_NAME = 200


@settings
class FolderSettings:
    """Where content is kept."""

    folder: Annotated[str, Field(min_length=1)]


class FolderStorage:
    """Keeps content below `folder`, under names such as `turns/3.wav`.

    A name cannot lead out of the folder: not by `..`, not from the root, not through a link. Content appears whole or
    not at all.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes:
        """The content under a name. Raises InputError where there is none."""
        return self._kept(name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Keep content under a name. Raises InputError for a name that cannot be kept."""
        path = self._path(name)
        if path.is_dir():
            raise InputError(f"storage: {name!r}: names a folder of other content: choose another name")
        try:
            with atomic(path) as temporary:
                temporary.write_bytes(content)
        except (FileExistsError, NotADirectoryError):
            raise InputError(
                f"storage: {name!r}: a part of it names content already: choose another name, or delete that first"
            ) from None

    def names(self, prefix: str = "") -> list[str]:
        """What is kept and begins with `prefix`, sorted."""
        below = (path for path in self._folder.rglob("*") if path.is_file() and not path.is_symlink())
        names = (path.relative_to(self._folder).as_posix() for path in below)
        # What begins with a dot is being written.
        return sorted(name for name in names if name.startswith(prefix) and _safe(name))

    def delete(self, name: str) -> None:
        """Forget a name. Raises InputError where there is none."""
        self._kept(name).unlink()

    def _kept(self, name: str) -> Path:
        path = self._path(name)
        if not path.is_file():
            raise InputError(f"storage: {name!r}: nothing is kept under that name")
        return path

    def _path(self, name: str) -> Path:
        if not _safe(name):
            raise InputError(
                f"storage: {name[:80]!r}: expected a name such as 'turns/3.wav' of letters, digits and . _ - + @, "
                f"at most {LONGEST_NAME} characters, no part of which begins with a dot"
            )
        path = self._folder / name
        for part in (path, *path.parents):
            if part == self._folder:
                break
            if part.is_symlink():
                raise InputError(f"storage: {name!r}: {part.name} is a link and may lead elsewhere: remove it")
        return path


def _safe(name: str) -> bool:
    return len(name) <= LONGEST_NAME and all(PART.fullmatch(part) and part == part.strip() for part in name.split("/"))


def open_folder(settings: FolderSettings, surroundings: Surroundings) -> FolderStorage:
    """Storage in a folder, made when something is first kept."""
    return FolderStorage(Path(settings.folder))
