"""The one front page over all twins: each one's answer, its figure, and the way to its own page.

A twin's report leaves its answer in a file of its own; the front page is made of those that are there. So no two stages
write one file, and a run of one twin shows the answers that the others have.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twinloop.files import read_json, write_json

if TYPE_CHECKING:
    from twinloop.reporting.style import Picture

PAGE = Path("reports/index.html")


@dataclass(frozen=True)
class Answer:
    """A twin's answer. page: its landing page, seen from the front page. picture: an address that needs no request."""

    title: str
    sentence: str
    page: str
    picture: str
    alt: str
    width: int


def write_answer(path: Path, *, title: str, sentence: str, page: str, figure: "Picture") -> None:
    """Leave a twin's answer, with the figure that shows it, for the front page."""
    answer = Answer(title, sentence, page, figure.data_uri(), figure.alt, figure.css_width)
    write_json(path, asdict(answer))


def read_answers(root: Path, files: Sequence[Path]) -> list[Answer]:
    """The answers that are there, in the order of `files`, which are relative to `root`."""
    return [Answer(**read_json(root / file)) for file in files if (root / file).is_file()]


def write_front(root: Path, answers: Sequence[Answer]) -> None:
    """Write the front page."""
    from twinloop.reporting.pages import write_page

    write_page(root / PAGE, "front.html.j2", title="twinloop", answers=answers)
