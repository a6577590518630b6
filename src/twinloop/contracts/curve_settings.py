"""Settings of an operating curve and of what its errors cost, in a module that imports in no time."""

import dataclasses
from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings

Cost = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


@settings
class PartCosts:
    """What each outcome of an inspection costs beyond a right decision, in euro per part."""

    escape: Cost = 120.0
    false_reject: Cost = 17.0
    reinspect: Cost = 0.2


@settings
class CurveSettings:
    """How an operating curve is measured from scores whose truth is known.

    line_defect_rate: share of defective parts on the line (not among those measured).
    defect_mix: shares of the defect classes among defective parts on the line, by class name; empty takes the mix
        of the measured parts.
    today_threshold: the calibrated defect probability from which the line rejects today; the baseline.
    calibration: how scores become probabilities.
    draws: bootstrap draws of the whole curve. thresholds: points of the curve.
    pseudo_count: strength of the prior on every rate, in parts; 1 gives the Jeffreys posterior at each threshold.
    repeatability: used where too few parts were looked at more than once to measure it.
    """

    line_defect_rate: Annotated[float, Field(gt=0, lt=1)] = 0.03
    defect_mix: dict[str, Annotated[float, Field(gt=0)]] = dataclasses.field(default_factory=dict)
    today_threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    calibration: Literal["platt", "temperature", "isotonic"] = "platt"
    draws: Annotated[int, Field(ge=1, le=2000)] = 200
    thresholds: Annotated[int, Field(ge=20, le=1000)] = 160
    pseudo_count: Annotated[float, Field(gt=0)] = 1.0
    repeatability: Share = 0.8
