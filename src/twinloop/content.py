"""What the bytes of a file are, by how they begin, so that a message can call an XLSX an XLSX."""

import unicodedata

BEGINNINGS = {
    b"PK\x03\x04": "a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (XLS)",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "a gzip archive",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
}


def kind_of(content: bytes, name: str = "") -> str | None:
    """What a file that is no text holds, in words; None where nothing speaks against a text.

    name: of the file; a workbook that was cut short shows what it is by its ending alone.

    >>> kind_of(b"PK\\x03\\x04 xl/workbook.xml")
    'an XLSX workbook'
    """
    for beginning, kind in BEGINNINGS.items():
        if content.startswith(beginning):
            if beginning == b"PK\x03\x04":
                return _of_zip(content, name)
            return kind
    if b"\x00" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "a binary file"
    return None


def _of_zip(content: bytes, name: str) -> str:
    for inside, ending, kind in (
        (b"xl/", (".xlsx", ".xlsm"), "an XLSX workbook"),
        (b"word/", (".docx",), "a Word document"),
        (b"opendocument.spreadsheet", (".ods",), "an OpenDocument spreadsheet (ODS)"),
    ):
        if inside in content or name.lower().endswith(ending):
            return kind
    return "a ZIP archive"


def without_controls(text: str) -> str:
    """Text with a blank for each control and each half of a character; line breaks and tabs stay.

    >>> without_controls("a\\x00b\\n")
    'a b\\n'
    """
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\r\t\f\v" else c for c in text)
