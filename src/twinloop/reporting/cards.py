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
            f"# {markdown_text(self.title)}",
            markdown_text(self.description),
            "## What it is",
            markdown_table(Table.of(("", ""), self.facts)),
            "## What was measured",
            markdown_table(self.metrics),
            "## Where it is run",
            markdown_table(self.operating_point),
            *(part for title, reading, table in self.sections for part in _section(title, reading, table)),
            "## Intended use",
            "\n".join(f"- {markdown_text(line)}" for line in self.intended),
            "## Limits",
            "\n".join(f"- {markdown_text(line)}" for line in self.limits),
        ]
        return "\n\n".join(parts) + "\n"


def _section(title: str, reading: str, table: Table) -> tuple[str, ...]:
    caption = (markdown_text(table.caption),) if table.caption else ()
    return f"## {markdown_text(title)}", markdown_text(reading), markdown_table(table), *caption


def markdown_table(table: Table) -> str:
    """A table as Markdown, its caption apart; names from data cannot become markup."""
    lines = [table.headers, tuple("---:" if c in table.numeric else "---" for c in range(len(table.headers)))]
    head = [
        "| " + " | ".join(cell if place else markdown_text(cell) for cell in row) + " |"
        for place, row in enumerate(lines)
    ]
    return "\n".join([*head, *("| " + " | ".join(map(markdown_text, row)) + " |" for row in table.rows)])


def markdown_text(text: str) -> str:
    """Text in one line that Markdown and HTML take for nothing but text."""
    safe = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\`*_[]|#":
        safe = safe.replace(mark, f"\\{mark}")
    return safe
