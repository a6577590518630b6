"""How long a line takes to fill: its output from empty, over several replications, and where MSER-5 cuts it.

Replications are averaged first, which takes luck out and leaves the start (Hoad, Robinson and Davies, 2010).
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Unpack

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.numbers import number as shown
from twinloop.progress import track
from twinloop.replication.execution import executed
from twinloop.replication.steady_state import growth, moving_average, mser
from twinloop.simulation.engine.run import Run
from twinloop.simulation.events.log import ENTER, LEAVING, SCRAP, SHIP, SPAN
from twinloop.simulation.experiments.design import Design, How
from twinloop.simulation.experiments.scenario import Scenario, run_of
from twinloop.simulation.model.line import Line

Floats = NDArray[np.float64]
FEWEST_VALUES, MOST_VALUES = 100, 500
PARTS_PER_VALUE = 10
WELCH_SHARE = 20


@dataclass(frozen=True, eq=False)
class WarmUp:
    """Parts per day that leave a line which starts empty: series [n], each value over `days_per_value`.

    days: the warm-up by MSER-5, to be given as `warmup_days`.
    """

    days: float
    days_per_value: float
    series: Floats

    @cached_property
    def smooth(self) -> Floats:
        """[n - window] Welch's moving average, to be looked at: flat from `days` on."""
        return moving_average(self.series, window=max(len(self.series) // WELCH_SHARE, 1))

    def frame(self) -> pl.DataFrame:
        """One row per value: day (its middle), parts_per_day, smooth (null at the end, where Welch's window ends)."""
        days = (np.arange(len(self.series)) + 0.5) * self.days_per_value
        smooth = [*self.smooth.tolist(), *[None] * (len(self.series) - len(self.smooth))]
        return pl.DataFrame({"day": days, "parts_per_day": self.series, "smooth": smooth})

    def _repr_html_(self) -> str:
        return (
            f"<p>Warm-up by MSER-5: {self.days:.3g} of {len(self.series) * self.days_per_value:g} simulated days.</p>"
        )


@dataclass(frozen=True)
class _Output:
    """When parts leave the line in one replication, in minutes, and how many are on it in two quarters of the time.

    On a line with spans: when they end the first.
    """

    run: Run

    def __call__(self) -> tuple[Floats, float, float]:
        log = self.run.log()
        through = (log.event == SHIP) | (log.event == SCRAP)
        if self.run.line.spans:
            through = (log.event == SPAN) & (log.entity == log.entities.index(self.run.line.spans[0].name))
        left: Floats = log.time[through]
        quarter = log.horizon / 4
        gone = log.time[np.isin(log.event, LEAVING)]
        entered = log.time[log.event == ENTER]

        def on_average(start: float) -> float:
            end = start + quarter
            stays = (end - np.clip(entered, start, end)).sum() - (end - np.clip(gone, start, end)).sum()
            return float(stays) / quarter

        return left, on_average(quarter), on_average(3 * quarter)


def warm_up(subject: Scenario | Line, **how: Unpack[How]) -> WarmUp:
    """The warm-up of a scenario or line, from `replications` of `days` that start empty; `warmup_days` is not used.

    Raises InputError for a horizon shorter than the warm-up: then the output still changes in its second half; and
    for a line that never settles: its output does, at what it can make, but not the parts on it; and for orders.
    """
    scenario, design = Scenario.of(subject), replace(Design(**how), warmup_days=0.0)
    if scenario.line.source.orders:
        raise InputError(
            f"simulate: warm-up: {scenario.name} makes an order book, which has a start and an end: it needs no warm-up"
        )
    numbers = range(design.first, design.first + design.replications)
    tasks = (_Output(run_of(scenario, design, number)) for number in numbers)
    outputs = executed(tasks, workers=design.workers, backend=design.backend)
    times, early, late = zip(*track(outputs, "replication", design.replications), strict=True)
    grown = growth(early, late)
    if scenario.line.can_grow and grown.sure:
        raise InputError(
            f"simulate: warm-up: {scenario.name} never settles in {design.days:g} days: it holds "
            f"{shown(grown.early)} parts on average in the second quarter and {shown(grown.late)} in the last: "
            "let less come, or more be made"
        )
    left = np.concatenate(times)
    # So few values that each is more than the chance of a part before or after its end.
    count = int(np.clip(len(left) // PARTS_PER_VALUE, FEWEST_VALUES, MOST_VALUES))
    parts, _ = np.histogram(left, bins=count, range=(0.0, design.days * scenario.line.minutes_per_day))
    per_value = design.days / count
    series = parts / design.replications / per_value
    cut = mser(series)
    if not cut.settled:
        raise InputError(
            f"simulate: warm-up: {design.days:g} days are a horizon shorter than the warm-up of {scenario.name}: its "
            "output still changes in the second half: simulate more days"
        )
    return WarmUp(days=cut.values * per_value, days_per_value=per_value, series=series)
