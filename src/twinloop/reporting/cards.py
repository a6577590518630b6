"""The model card (Mitchell et al. 2019): what the model is, how it was measured, where it must not be used."""

from collections.abc import Sequence
from dataclasses import dataclass

from twinloop.reporting.tables import Table


@dataclass(frozen=True)
class ModelCard:
    """Everything a reader must know before trusting the model.

    facts: (name, value) pairs such as encoder and digest. limits and uses: one sentence each. sections: what else was
    found, each with a title, a sentence on how to read it, and a table.
    """

    title: str
    description: str
    facts: Sequence[tuple[str, str]]
    metrics: Table
    operating_point: Table
    intended: Sequence[str]
    limits: Sequence[str]
    sections: Sequence[tuple[str, str, Table]] = ()

    def markdown(self) -> str:
        """The card as Markdown; names from data cannot become markup."""
        parts = [
            f"# {_plain(self.title)}",
            _plain(self.description),
            "## What it is",
            _table(Table.of(("", ""), self.facts)),
            "## What was measured",
            _table(self.metrics),
            "## Where it is run",
            _table(self.operating_point),
            *(part for title, reading, table in self.sections for part in _section(title, reading, table)),
            "## Intended use",
            "\n".join(f"- {_plain(line)}" for line in self.intended),
            "## Limits",
            "\n".join(f"- {_plain(line)}" for line in self.limits),
        ]
        return "\n\n".join(parts) + "\n"


def _section(title: str, reading: str, table: Table) -> tuple[str, ...]:
    caption = (_plain(table.caption),) if table.caption else ()
    return f"## {_plain(title)}", _plain(reading), _table(table), *caption


def _table(table: Table) -> str:
    lines = [table.headers, tuple("---:" if c in table.numeric else "---" for c in range(len(table.headers)))]
    head = [
        "| " + " | ".join(cell if place else _plain(cell) for cell in row) + " |" for place, row in enumerate(lines)
    ]
    return "\n".join([*head, *("| " + " | ".join(map(_plain, row)) + " |" for row in table.rows)])


def _plain(text: str) -> str:
    safe = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\`*_[]|#":
        safe = safe.replace(mark, f"\\{mark}")
    return safe
