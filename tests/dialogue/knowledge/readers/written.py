"""Documents written for tests."""

import io
from collections.abc import Sequence

from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, NumberObject
from reportlab.pdfgen.canvas import Canvas


def pdf(*pages: Sequence[str]) -> bytes:
    """A PDF with some lines per page."""
    stream = io.BytesIO()
    canvas = Canvas(stream, invariant=True)
    for lines in pages:
        for row, line in enumerate(lines):
            canvas.drawString(72, 720 - 16 * row, line)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def encrypted(content: bytes, password: str) -> bytes:
    """The same PDF behind a password."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
    writer.encrypt(password, owner_password="owner", algorithm="AES-256")
    return _saved(writer)


def bomb(unpacked: int) -> bytes:
    """A PDF of some kilobytes whose one page unpacks to as many bytes."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(["one"]))))
    stream = DecodedStreamObject()
    stream.set_data(b" " * unpacked)
    writer.pages[0][NameObject("/Contents")] = writer._add_object(stream.flate_encode(level=9))
    return _saved(writer)


def claiming(pages: int) -> bytes:
    """A PDF that says it has so many pages."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(["one"]))))
    tree = writer.root_object["/Pages"].get_object()
    assert isinstance(tree, DictionaryObject)
    tree[NameObject("/Count")] = NumberObject(pages)
    return _saved(writer)


def _saved(writer: PdfWriter) -> bytes:
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()
