"""A twin's landing page and its plain pages, from templates that escape everything that is not markup.

One sentence answers the twin's question, one figure shows it, one table says what changed, by how much
and how sure. A page carries its style and pictures with it: it prints, needs no script, asks nobody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

from twinloop.files import write_text
from twinloop.reporting.tables import Table

if TYPE_CHECKING:
    from twinloop.reporting.style import Picture

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Link:
    """An entry of a page's navigation; `target` is relative to the page."""

    text: str
    target: str


class Shown(Protocol):
    """What brings its own safe markup."""

    def __html__(self) -> str: ...


@dataclass(frozen=True)
class KeyFigure:
    """One number worth knowing, as text with its unit, and how to read it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A dashboard: who reads it and why, its key figures, its pictures; `view` is shown above these, as its markup."""

    anchor: str
    title: str
    text: str
    keys: tuple[KeyFigure, ...]
    figures: "tuple[Picture, ...]"
    view: Shown | None = None


@dataclass(frozen=True)
class Page(Link):
    """A page of the report with one line on what it shows."""

    summary: str = ""


@dataclass(frozen=True)
class Landing:
    """Everything on the first page of a twin's report.

    reading: one line on how to read figure and table.
    traces: lines of text or markup that say where the numbers come from and how to find them again.
    """

    title: str
    kicker: str
    sentence: str
    figure: "Picture"
    table: Table
    reading: str
    sections: tuple[Section, ...]
    pages: tuple[Page, ...]
    provenance: Table
    traces: tuple[str | Markup, ...]


def write_landing(path: Path, landing: Landing, *, navigation: Sequence[Link] = ()) -> None:
    """Write a twin's first page."""
    write_page(path, "landing.html.j2", title=landing.title, navigation=navigation, landing=landing)


def write_plain(path: Path, *, title: str, content: Markup, navigation: Sequence[Link] = ()) -> None:
    """Write a page around `content`, which must be safe markup already."""
    write_page(path, "page.html.j2", title=title, navigation=navigation, content=content)


def write_page(path: Path, template: str, *, title: str, navigation: Sequence[Link] = (), **values: Any) -> None:
    """Write a page from a template, which is given `values`; it carries its style with it."""
    css = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    page = _environment().get_template(template)
    write_text(path, page.render(title=title, navigation=navigation, here=path.name, css=css, **values))


def from_markdown(text: str) -> Markup:
    """Markdown as markup; HTML inside it stays visible text.

    >>> from_markdown("a **b** <i>")
    Markup('<p>a <strong>b</strong> &lt;i&gt;</p>\\n')
    """
    return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))


def _environment() -> jinja2.Environment:
    loader = jinja2.FileSystemLoader(TEMPLATES)
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
