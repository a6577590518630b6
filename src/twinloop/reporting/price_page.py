"""A priced model on one page: the answer, profit against the threshold, levers, errors, and what was assumed."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinloop.contracts import OperatingCurve
from twinloop.contracts.part_costs import accepted_after_looks
from twinloop.numbers import Interval, number, percent, quantity
from twinloop.reporting.figures.model import Point, operating_curve
from twinloop.reporting.figures.simulation import lever_ranking, profit_against_threshold
from twinloop.reporting.levers import lever_table, profit_curve, thresholds
from twinloop.reporting.pages import write_page
from twinloop.reporting.style import Picture
from twinloop.reporting.tables import Table
from twinloop.simulation.experiments.levers import OperatingPoint
from twinloop.simulation.pricing.pricing import Priced

CURRENCY = "€"


@dataclass(frozen=True)
class PricePage:
    """What the page shows. points: the thresholds as the table's scores; notes: what was assumed."""

    kicker: str
    sentence: str
    profit: Picture
    points: str
    levers: Table
    reading: str
    errors: Picture
    ranking: Picture
    provenance: Table
    notes: tuple[str, ...]


def write_price_page(path: Path, priced: Priced, *, name: str, line: str) -> None:
    """Write the page of a model whose scores are called `name`, on the line of that name."""
    write_page(path, "price.html.j2", title=f"Worth of {name}", priced=page_of(priced, name=name, line=line))


def page_of(priced: Priced, *, name: str, line: str) -> PricePage:
    """The page's content."""
    found, answer = priced.sensitivity, priced.answer
    gains = {gain.lever.name: gain.net for gain in found.gains}
    return PricePage(
        kicker=f"{name} on line {line} · what are its errors worth?",
        sentence=answer["sentence"],
        profit=profit_against_threshold(**profit_curve(found.threshold_frame(), currency=CURRENCY)),
        points=points_line(priced),
        levers=levers_of(priced),
        reading="Each row changes one thing against today; its own cost is deducted. It pays where the "
        "whole interval lies above zero. The intervals include how unsure the model's own error rates are.",
        errors=operating_curve(priced.curve, [_rates(priced.curve, *row) for row in _points(priced).items()]),
        ranking=lever_ranking(gains),
        provenance=_provenance(priced),
        notes=priced.notes,
    )


def levers_of(priced: Priced) -> Table:
    """What each lever earns."""
    return lever_table(priced.sensitivity.frame(), answer=priced.answer, currency=CURRENCY)


def points_line(priced: Priced) -> str:
    """Both operating points as the table's own scores, which are what the model is run by."""
    what = "probability" if priced.scores.are_probabilities else "score"

    def given(point: OperatingPoint) -> str:
        low, high = (number(priced.as_given(end)) for end in (point.accept_below, point.reject_from))
        return f"accept below {low}, look again up to {high}" if point.has_band else f"reject from {low}"

    return f"As the table's {what}: today {given(priced.today)}; chosen {given(priced.chosen)}."


def _points(priced: Priced) -> dict[str, OperatingPoint]:
    return {"today": priced.today, "chosen": priced.chosen}


def _rates(curve: OperatingCurve, kind: str, point: OperatingPoint) -> Point:
    """Escapes and false rejects after at most two looks, with 95 % intervals over the draws."""
    there = curve.at(point.accept_below, point.reject_from)
    low, high = (
        np.array([there.below_at(threshold, draw=draw) for draw in range(curve.draws + 1)])
        for threshold in (there.accept_below, there.reject_from)
    )
    accepted = accepted_after_looks(low, high, curve.repeatability)
    mix = curve.prevalence[1:] / curve.prevalence[1:].sum()
    named = f"{kind} {thresholds(point.accept_below, point.reject_from)}"
    return Point(named, _interval(accepted[:, 1:] @ mix), _interval(1 - accepted[:, 0]))


def _interval(draws: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(draws[1:], [0.025, 0.975])
    return Interval(float(draws[0]), float(low), float(high))


def _provenance(priced: Priced) -> Table:
    curve, costs = priced.curve, priced.costs
    measured = ", ".join(f"{n} {name}" for name, n in zip(curve.classes, curve.counts.tolist(), strict=True))
    latency = priced.scores.latency_ms
    rows = [
        ("scores", priced.scores.summary),
        ("measured on", f"{measured} parts, which chose no threshold"),
        ("repeatability", f"{number(curve.repeatability)} of the score's variance is the part's"),
        ("time of a look", "not given" if latency is None else quantity(latency, "ms")),
        ("on the line", ", ".join(f"{percent(p)} {c}" for c, p in zip(curve.classes, curve.prevalence, strict=True))),
        (
            "a wrong decision costs",
            f"{quantity(costs.escape, CURRENCY)} per escape, {quantity(costs.false_reject, CURRENCY)} per false reject",
        ),
        ("replications", str(len(priced.sensitivity.today.replications))),
    ]
    return Table.of(("what", "is"), rows)
