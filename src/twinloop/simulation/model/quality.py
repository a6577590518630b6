"""Inspection and what follows from it: assumed rates until a model is measured, second looks, rework."""

import dataclasses
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from twinloop.config import settings
from twinloop.contracts import OperatingCurve
from twinloop.errors import nearest
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.names import Name, Probability


@settings
class AssumedRates:
    """Stands in for a measured curve until there is one: rates of a single look, one defect class."""

    defect_rate: Probability = 0.03
    escape_rate: Probability = 0.10
    false_reject_rate: Probability = 0.02
    repeatability: Probability = 0.8

    def curve(self) -> OperatingCurve:
        """An OperatingCurve of classes good and defect with these rates, called "assumed"."""
        return OperatingCurve(
            thresholds=np.array([0.5]),
            classes=("good", "defect"),
            below=np.array([[[1 - self.false_reject_rate], [self.escape_rate]]]),
            prevalence=np.array([1 - self.defect_rate, self.defect_rate]),
            counts=np.zeros(2, dtype=np.int64),
            repeatability=self.repeatability,
            accept_below=0.5,
            reject_from=0.5,
            model="assumed",
        )


@settings
class Inspection:
    """How the inspecting station uses its model: at most `max_looks` per visit, then `undecided` holds.

    unlike_share: of the parts that are unlike anything the model learnt (oily, turned over, of another kind): every
    look at them asks for another, so that `undecided` decides.
    """

    max_looks: Annotated[int, Field(ge=1, le=10)] = 2
    undecided: Literal["reject", "accept"] = "reject"
    unlike_share: Probability = 0.0
    assumed: AssumedRates = AssumedRates()

    def curve(self, measured: OperatingCurve | None) -> OperatingCurve:
        """The measured curve, or the assumed one where nothing was measured."""
        return self.assumed.curve() if measured is None else measured


@settings
class Rework:
    """Where rejected parts go. Without a rework station they are scrapped.

    success: probability that one visit removes the defect; `success_by_class` overrides it per class.
    A part that is rejected again after `max_times` visits is scrapped: the loop always has an exit.
    when_full: a rejected part that finds `buffer` full is scrapped, or waits and blocks the inspection.
    returns_to: the station it goes to next (default, and always on a routed line: the inspecting one), before those
    waiting for room.
    """

    name: Name = "rework"
    cycle: Distribution
    servers: Annotated[int, Field(ge=1)] = 1
    buffer: Annotated[int, Field(ge=1)] = 10
    success: Probability = 0.7
    success_by_class: dict[str, Probability] = dataclasses.field(default_factory=dict)
    max_times: Annotated[int, Field(ge=1, le=10)] = 1
    when_full: Literal["scrap", "wait"] = "scrap"
    returns_to: str | None = None


def check_rework(rework: Rework, stations: Sequence[str], *, inspecting: int | None, routed: bool) -> None:
    """Raises ValueError when no part would ever be reworked, or would not be inspected again afterwards."""
    if inspecting is None:
        raise ValueError("rework expects a station with inspects: true; no part would ever reach it")
    if rework.returns_to is None:
        return
    if rework.returns_to not in stations:
        raise ValueError(
            f"rework.returns_to: unknown station {rework.returns_to!r}; {nearest(rework.returns_to, stations)}"
        )
    allowed = stations[inspecting if routed else 0 : inspecting + 1]
    if rework.returns_to not in allowed:
        raise ValueError(
            f"rework.returns_to = {rework.returns_to!r}: expected the inspecting station"
            f"{'' if routed else ' or one before it'} ({', '.join(allowed)}); repaired parts must be inspected again"
        )
