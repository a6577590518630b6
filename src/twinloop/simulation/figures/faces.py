"""How results look in a notebook: plain tables, every text escaped."""

from collections.abc import Sequence
from html import escape

from twinloop.numbers import fixed, percent
from twinloop.simulation.events.kpi import KPIS
from twinloop.simulation.experiments.result import Comparison, Result

SHARES = {"oee", "availability", "performance", "quality", "first_pass_yield"}


def result_table(result: Result) -> str:
    """Key figures with their intervals."""
    rows = [
        (title, f"{number(kpi, found.mean)} {unit}", f"{number(kpi, found.low)} … {number(kpi, found.high)}")
        for kpi, (title, unit) in KPIS.items()
        for found in [result[kpi]]
    ]
    errors = "assumed rates, no measured model" if result.model == "assumed" else f"model {result.model[:12]}"
    caption = (
        f"{result.name}: {len(result.replications)} × {result.days:g} days after {result.warmup_days:g} of warm-up, "
        f"engine {result.engine}; inspection errors: {errors}{_precision(result)}"
    )
    return table(caption, ("", "mean", f"{100 * result.confidence:g} % interval"), rows)


def _precision(result: Result) -> str:
    """What became of the precision that was asked for; nothing where none was."""
    if result.design.precision is None:
        return ""
    what = KPIS[result.design.precision_of][0].lower()
    verdict = "as asked" if result.reached else f"not the {percent(result.design.precision)} asked for"
    return f"; {what} within ±{percent(result.precision)}, {verdict}"


def comparison_table(comparison: Comparison) -> str:
    """Both sides and the paired difference."""
    rows = []
    for kpi, title, unit, before, after, change, low, high in comparison.frame().iter_rows():
        sides = (f"{number(kpi, before)} {unit}", f"{number(kpi, after)} {unit}")
        rows.append((title, *sides, number(kpi, change), f"{number(kpi, low)} … {number(kpi, high)}"))
    header = ("", comparison.baseline.name, comparison.other.name, "difference")
    interval = f"{100 * comparison.baseline.confidence:g} % interval, paired"
    return table("What changes", (*header, interval), rows)


def number(kpi: str, value: float) -> str:
    """A figure with the digits that tell something."""
    digits = 3 if kpi in SHARES or kpi.endswith("_share") else 1 if abs(value) < 100 else 0
    return fixed(value, digits)


def table(caption: str, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """An HTML table whose every text is escaped; the first column is left-aligned."""
    head = "".join(f'<th style="text-align:right">{escape(cell)}</th>' for cell in header)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="text-align:{"left" if column == 0 else "right"}">{escape(cell)}</td>'
            for column, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<table><caption style="text-align:left">{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
