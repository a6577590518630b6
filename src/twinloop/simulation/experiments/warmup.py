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
from twinloop.progress import track
from twinloop.replication.execution import executed
from twinloop.replication.steady_state import moving_average, mser
from twinloop.simulation.engine.run import Run
from twinloop.simulation.events.log import SCRAP, SHIP
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
    """When parts leave the line in one replication, in minutes."""

    run: Run

    def __call__(self) -> Floats:
        log = self.run.log()
        left: Floats = log.time[(log.event == SHIP) | (log.event == SCRAP)]
        return left


def warm_up(subject: Scenario | Line, **how: Unpack[How]) -> WarmUp:
    """The warm-up of a scenario or line, from `replications` of `days` that start empty; `warmup_days` is not used.

    Raises InputError for a horizon shorter than the warm-up: then the output still changes in its second half.
    """
    scenario, design = Scenario.of(subject), replace(Design(**how), warmup_days=0.0)
    numbers = range(design.first, design.first + design.replications)
    tasks = (_Output(run_of(scenario, design, number)) for number in numbers)
    outputs = executed(tasks, workers=design.workers, backend=design.backend)
    left = np.concatenate(list(track(outputs, "replication", design.replications)))
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
