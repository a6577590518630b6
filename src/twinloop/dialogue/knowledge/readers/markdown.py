"""Markdown (CommonMark): rendered to HTML and read as that, so that HTML within it is treated alike."""

from twinloop.dialogue.knowledge.readers.document import Page
from twinloop.dialogue.knowledge.readers.html import shown_page
from twinloop.dialogue.knowledge.readers.text import decoded
from twinloop.dialogue.knowledge.settings import ReadingSettings


def read_markdown(name: str, content: bytes, settings: ReadingSettings) -> tuple[Page, ...]:
    """The text without its marks, one block per line."""
    from markdown_it import MarkdownIt

    text = decoded(name, content, settings)
    return (shown_page(MarkdownIt("commonmark").enable("table").render(text)),)
