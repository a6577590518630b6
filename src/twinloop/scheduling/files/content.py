"""The text of a file, whatever its encoding; what is no text is called by its name."""

from pathlib import Path
from typing import NamedTuple

from twinloop.content import kind_of
from twinloop.errors import InputError

LARGEST = 200_000_000


class Text(NamedTuple):
    """`text` without a byte order mark, and what was assumed of its encoding (empty where it was certain)."""

    text: str
    note: str


def read_bytes(path: Path) -> bytes:
    """A file's content. Raises InputError where it cannot be read or is larger than any shop."""
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path}: larger than {LARGEST // 10**6} MB: expected a shop")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None


def decoded(content: bytes, path: Path) -> Text:
    """The text of UTF-8, UTF-16 with its mark, or Latin-1, which is said. Raises InputError for what is no text."""
    kind = kind_of(content, path.name)
    if kind is not None:
        raise InputError(f"{path}: {kind}, cannot be read as text: {_remedy(kind)}")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text = content.decode("utf-16")
            # Two bytes in front may be chance; a shop is mostly ASCII.
            if 2 * sum(c.isascii() for c in text) < len(text):
                raise UnicodeError
            return Text(text, "")
        except UnicodeError:
            raise InputError(f"{path}: cannot be read: broken UTF-16: save it as UTF-8") from None
    try:
        return Text(content.decode("utf-8-sig"), "")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
        if "\ufffd" in text or any(c < " " and c not in "\t\r\n\f" for c in text):
            raise InputError(f"{path}: cannot be read: neither UTF-8 nor Latin-1 text: save it as UTF-8") from None
        return Text(text, "text read as Latin-1")


def read_text(path: Path) -> Text:
    """As `decoded`, from a file."""
    return decoded(read_bytes(path), path)


def _remedy(kind: str) -> str:
    if "XLSX" in kind:
        return "give it as the order book itself (.xlsx), or save the sheet as CSV"
    return "expected JSON, CSV, XLSX or a text format of job shops"
