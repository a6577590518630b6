"""Tables that show themselves: as text in a terminal, as HTML on a page, every cell escaped.

Class names, file names and orders come from users' data; nothing of them may become markup.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from twinloop.errors import InputError


@dataclass(frozen=True)
class Table:
    """Rows of text under headers.

    numeric: indices of columns aligned to the right.
    emphasis: indices of rows that matter most.

    >>> print(Table(("station", "OEE"), (("press", "61 %"),)))
    station  OEE
    press    61 %
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    numeric: frozenset[int] = frozenset()
    emphasis: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for index, row in enumerate(self.rows):
            if len(row) != len(self.headers):
                raise InputError(
                    f"table {self.caption!r}: row {index}: expected {len(self.headers)} cells, found {len(row)}"
                )

    @classmethod
    def of(
        cls,
        headers: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        caption: str = "",
        numeric: Iterable[int] = (),
        emphasis: Iterable[int] = (),
    ) -> "Table":
        """Build from any values; each is shown as `str` gives it."""
        texts = tuple(tuple(str(cell) for cell in row) for row in rows)
        return cls(tuple(headers), texts, caption, frozenset(numeric), frozenset(emphasis))

    def __str__(self) -> str:
        lines = [self.headers, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.headers))]
        return "\n".join(
            "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines
        )

    def __html__(self) -> str:
        """Markup for templates that escape on their own."""
        caption = Markup("<caption>{}</caption>").format(self.caption) if self.caption else Markup("")
        head = self._row("th", self.headers, Markup(""))
        body = Markup("").join(
            self._row("td", row, Markup(' class="emphasis"') if index in self.emphasis else Markup(""))
            for index, row in enumerate(self.rows)
        )
        return str(
            Markup('<div class="scroll"><table>{}<thead>{}</thead><tbody>{}</tbody></table></div>').format(
                caption, head, body
            )
        )

    def _repr_html_(self) -> str:
        return self.__html__()

    def _row(self, tag: str, cells: Sequence[str], attributes: Markup) -> Markup:
        content = Markup("").join(
            Markup("<{tag}{css}>{cell}</{tag}>").format(
                tag=Markup(tag), css=Markup(' class="number"' if column in self.numeric else ""), cell=escape(cell)
            )
            for column, cell in enumerate(cells)
        )
        return Markup("<tr{}>{}</tr>").format(attributes, content)
