"""Markdown (CommonMark): rendered to HTML and read as that, so that HTML within it is treated alike."""

from twinloop.dialogue.knowledge.readers.document import Page
from twinloop.dialogue.knowledge.readers.html import shown_page
from twinloop.dialogue.knowledge.readers.text import decoded
from twinloop.dialogue.knowledge.settings import ReadingSettings

# What nests deeper is dropped by the reader; as set by CommonMark's own, that befalls a list of ten levels.
MOST_NESTED = 100


def read_markdown(name: str, content: bytes, settings: ReadingSettings) -> tuple[Page, ...]:
    """The text without its marks, one block per line."""
    from markdown_it import MarkdownIt

    text = decoded(name, content, settings)
    reader = MarkdownIt("commonmark", {"maxNesting": MOST_NESTED}).enable("table")
    return (shown_page(reader.render(text)),)
