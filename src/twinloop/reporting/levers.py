"""A line's levers on a page: profit against the threshold, and what each change earns, from a sensitivity's tables."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from twinloop.numbers import THIN, Interval, interval, percent, probability, quantity
from twinloop.reporting.figures.simulation import Operated
from twinloop.reporting.results import estimate
from twinloop.reporting.tables import Table

TODAY, CHOSEN, GRID = "today", "chosen", "grid"
PROFIT = "profit_per_day"
HEADERS = ("what is changed against today", "how", "gain per day", "95 % interval", "of profit", "how sure")


def profit_curve(points: pl.DataFrame, *, currency: str) -> dict[str, Any]:
    """Arguments of `figures.simulation.profit_against_threshold` from `Sensitivity.threshold_frame`."""
    single = (
        points.filter(pl.col("accept_below") == pl.col("reject_from"), pl.col("kind") != TODAY)
        .unique("accept_below")
        .sort("accept_below")
    )
    marked = {row["kind"]: row for row in points.filter(pl.col("kind") != GRID).iter_rows(named=True)}
    return {
        "curve": [(row["accept_below"], estimate(row, PROFIT)) for row in single.iter_rows(named=True)],
        **{kind: _operated(kind, marked[kind]) for kind in (TODAY, CHOSEN)},
        "currency": currency,
    }


def lever_table(sensitivity: pl.DataFrame, *, answer: Mapping[str, Any], currency: str) -> Table:
    """A row per lever from `Sensitivity.frame`, the best real one that surely pays emphasised; answer: its record."""
    rows = [
        (
            row["name"] + (" (hypothetical)" if row["hypothetical"] else ""),
            _change(row, answer),
            quantity(row["gain_per_day"], currency, digits=2, sign=True),
            interval(row["gain_low"], row["gain_high"], currency, digits=2, sign=True),
            percent(row["relative_gain"], sign=True),
            verdict(Interval(row["gain_per_day"], row["gain_low"], row["gain_high"])),
        )
        for row in sensitivity.iter_rows(named=True)
    ]
    # What is hypothetical is no decision, however well it would pay.
    real = sensitivity["pays"] & ~sensitivity["hypothetical"]
    return Table.of(HEADERS, rows, numeric=(2, 3, 4), emphasis=real.arg_true().to_list()[:1])


def thresholds(accept_below: float, reject_from: float) -> str:
    """One threshold, or the band between two in which a part is looked at again."""
    if accept_below == reject_from:
        return probability(accept_below)
    return f"{probability(accept_below)} … {probability(reject_from)}"


def verdict(gain: Interval) -> str:
    """What an interval allows to say."""
    if gain.low > 0:
        return "pays"
    return "loses" if gain.high < 0 else "not sure"


def _operated(kind: str, row: dict[str, Any]) -> Operated:
    accept, reject = row["accept_below"], row["reject_from"]
    return Operated(f"{kind} {thresholds(accept, reject)}", accept, reject, estimate(row, PROFIT))


def _change(row: dict[str, Any], answer: Mapping[str, Any]) -> str:
    if row["rank"] is None:
        return "the best of each kind that pays"
    ends = [answer[kind] for kind in (TODAY, CHOSEN)]
    before, after = (thresholds(end["accept_below"], end["reject_from"]) for end in ends)
    if row["lever"] == "threshold":
        return str(row["change"]).replace("threshold = chosen", f"{before} → {after}")
    words = str(row["change"]).replace("stations.", "").replace(".mean", "").replace("_", " ")
    # No line may break between a number and its unit.
    return words.replace(" %", f"{THIN}%")
