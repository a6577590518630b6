"""HTML as a reader sees it: what a browser would not show (scripts, styles, hidden parts) is not read either."""

import re
from collections.abc import Iterator
from typing import Any

from twinloop.dialogue.knowledge.readers.document import Page, tidy
from twinloop.dialogue.knowledge.readers.headings import MARK, page_of
from twinloop.dialogue.knowledge.readers.text import decoded
from twinloop.dialogue.knowledge.settings import ReadingSettings
from twinloop.errors import InputError

UNREAD = (
    "script",
    "style",
    "template",
    "noscript",
    "head",
    "iframe",
    "object",
    "svg",
    "math",
    "canvas",
    "audio",
    "video",
)
TEXT_BLOCKS = "address blockquote br caption dd dl dt figcaption h1 h2 h3 h4 h5 h6 hr li ol p pre summary table tr ul"
PARTS = "article aside details div fieldset figure footer form header main nav section"
BLOCKS = f"{TEXT_BLOCKS} {PARTS}".split()
CELLS = ("td", "th")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6", "dt", "legend")
# Not displayed, of no size or weight, or moved beyond the edge of any screen.
HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|opacity\s*:\s*0(\.0*)?\s*(;|!|$)|"
    r"font-size\s*:\s*(0(\.\d*)?[a-z%]*|1px)\s*(;|!|$)|(?<![\w-])(left|right|top|bottom|text-indent)\s*:\s*-\d{3,}(px|em|rem|pt|%|vw|vh)|"
    r"clip\s*:\s*rect\(\s*[01](px)?\b|clip-path\s*:\s*inset\(\s*(50|100)%",
    re.IGNORECASE,
)
TAG = re.compile(r"<(!doctype|[a-z][a-z0-9]*[\s/>])", re.IGNORECASE)
DECLARED = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
# Where a block begins or ends, of no meaning in any text; a line break of the source is only a blank.
EDGE = "\ue000"


def read_html(name: str, content: bytes, settings: ReadingSettings) -> tuple[Page, ...]:
    """What is shown of a page. Raises InputError where it holds no tag."""
    declared = DECLARED.search(content[:4096])
    text = decoded(name, content, settings, declared=declared.group(1).decode() if declared else None)
    if not TAG.search(text):
        raise InputError(f"{name}: expected HTML, it holds no tag: name it .txt if it is plain text")
    return (shown_page(text),)


def shown_page(markup: str) -> Page:
    """The visible text of markup, one paragraph, item or row per line.

    >>> shown_page("<h1>Oven</h1><p>Set to\\n200 °C<script>alert(1)</script></p>").text
    'Oven\\nSet to 200 °C'
    """
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(markup.replace(EDGE, " ").replace(MARK, " "), "html.parser")
    return page_of(1, tidy(" ".join("".join(_texts(soup)).split()).replace(EDGE, "\n")))


def _texts(soup: Any) -> Iterator[str]:
    """What is shown, edges and marks between, in time that grows with the page however deep its tags nest."""
    from bs4.element import CData, NavigableString

    waiting = [soup]
    while waiting:
        node = waiting.pop()
        # Comments and the like are texts of types of their own.
        if type(node) in (str, NavigableString, CData):
            yield node
        elif not isinstance(node, str) and not _unshown(node):
            edge = EDGE if node.name in BLOCKS else " " if node.name in CELLS else ""
            head = MARK if _heads(node) else ""
            waiting += [edge, *reversed(node.contents), edge + head]


def _heads(tag: Any) -> bool:
    """Whether it heads what follows: a heading, a label of a list, a row of a table that heads its columns."""
    return tag.name in HEADINGS or (tag.name == "tr" and tag.find("th") is not None and tag.find("td") is None)


def _unshown(tag: Any) -> bool:
    return (
        tag.name in UNREAD
        or tag.has_attr("hidden")
        or str(tag.get("aria-hidden", "")).lower() == "true"
        or (tag.name == "input" and tag.get("type") == "hidden")
        or HIDDEN.search(str(tag.get("style", ""))) is not None
    )
