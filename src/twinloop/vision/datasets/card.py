"""The data card: what a prepared dataset holds, where it is from and what was left out, in Markdown.

Names and notes come from the data and may hold anything: they are escaped, so that a page made of
the card runs nothing.
"""

import html
import re
from collections.abc import Sequence

import polars as pl

from twinloop.vision.datasets.samples import printable
from twinloop.vision.index import SPLITS, class_names

QUARANTINE_SHOWN = 50


def data_card(
    index: pl.DataFrame,
    *,
    title: str,
    origin: str,
    notes: Sequence[str],
    quarantine: Sequence[tuple[str, str]],
    digest: str,
    warning: str = "",
) -> str:
    """Markdown text for a dataset with this `index`.

    origin: where the data is from and its licence, free text. quarantine: (file, reason). digest: sha256 of content.
    warning: what a reader must know before any number, if anything.
    """
    widths, heights = (sorted(index[side].to_list()) for side in ("width", "height"))
    lines = [
        f"# Data card: {escaped(title)}",
        *(["", f"**{escaped(warning)}**"] if warning else []),
        "",
        f"{len(index)} images of {index['group'].n_unique()} independent parts, {widths[0]} to {widths[-1]} px wide "
        f"and {heights[0]} to {heights[-1]} px high. Splits share no part and no image. Content digest `{digest}`.",
        "",
        "## Images (parts) per class and split",
        "",
        "| class | " + " | ".join(SPLITS) + " | with pixel mask |",
        "|---|" + "---:|" * (len(SPLITS) + 1),
    ]
    for label in class_names(index):
        rows = index.filter(pl.col("label") == label)
        cells = [_count(rows.filter(pl.col("split") == split)) for split in SPLITS]
        lines.append(f"| {escaped(label)} | {' | '.join(cells)} | {rows['mask'].count()} |")
    lines += ["", "## Origin and licence", "", *(f"> {escaped(line)}" for line in origin.strip().splitlines())]
    if notes:
        lines += ["", "## How it was read", "", *(f"- {escaped(note)}" for note in notes)]
    lines += ["", "## Quarantined", ""]
    if not quarantine:
        lines.append("Nothing.")
    else:
        lines += ["| file | reason |", "|---|---|"]
        lines += [f"| {escaped(file)} | {escaped(reason)} |" for file, reason in quarantine[:QUARANTINE_SHOWN]]
    if len(quarantine) > QUARANTINE_SHOWN:
        lines += ["", f"… and {len(quarantine) - QUARANTINE_SHOWN} more in quarantine.csv."]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text that neither HTML nor Markdown takes for markup."""
    return re.sub(r"([\\`*_\[\]|#])", r"\\\1", html.escape(printable(text), quote=False))


def _count(rows: pl.DataFrame) -> str:
    return f"{len(rows)} ({rows['group'].n_unique()})" if len(rows) else "0"
