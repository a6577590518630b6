"""Papers as files: PDF, plain text, Markdown and HTML, the same bytes each time."""

import html
import io
import textwrap

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from twinloop.dialogue.synthetic.papers import Paper

FONT, FONT_SIZE, LEADING, MARGIN = "Helvetica", 11, 15, 60
LINE_CHARACTERS = 84


def rendered(paper: Paper) -> bytes:
    """The content of the paper's file."""
    return RENDERERS[paper.media](paper)


def _pdf(paper: Paper) -> bytes:
    buffer = io.BytesIO()
    # invariant: no time and no random identity in the file.
    canvas = Canvas(buffer, pagesize=A4, invariant=1)
    canvas.setTitle(paper.title)
    for number, paragraphs in enumerate(paper.pages, 1):
        canvas.setFont(FONT, FONT_SIZE)
        height = A4[1] - MARGIN
        for paragraph in (paper.title, *paragraphs) if number == 1 else paragraphs:
            for line in textwrap.wrap(paragraph, LINE_CHARACTERS, break_on_hyphens=False):
                canvas.drawString(MARGIN, height, line)
                height -= LEADING
            height -= LEADING / 2
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _txt(paper: Paper) -> bytes:
    blocks = [paper.title, *paper.pages[0]]
    return (
        "\n\n".join(textwrap.fill(block, LINE_CHARACTERS, break_on_hyphens=False) for block in blocks) + "\n"
    ).encode()


def _markdown(paper: Paper) -> bytes:
    return ("\n\n".join([f"# {paper.title}", *paper.pages[0]]) + "\n").encode()


def _html(paper: Paper) -> bytes:
    title = html.escape(paper.title)
    body = "\n".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in paper.pages[0])
    head = f'<head><meta charset="utf-8"><title>{title}</title></head>'
    return f'<!doctype html>\n<html lang="en">{head}\n<body>\n<h1>{title}</h1>\n{body}\n</body></html>\n'.encode()


RENDERERS = {"pdf": _pdf, "txt": _txt, "md": _markdown, "html": _html}
