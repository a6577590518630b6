"""Settings of features: how long a window is, how far memory reaches, and what tells load and operating regime."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings

Span = Annotated[int, Field(ge=1, le=1_000_000)]


@settings
class FeatureSettings:
    """window_min: length of a window in minutes; a window begins at a multiple of it.

    within: also features of the course inside a window (needs several rows in it). spans: of memory, in windows; a span
    of n weighs the last n windows about as a mean of n does (α = 2 / (n + 1)). early: number of windows that show what
    an asset was when its life began. load: the sensor that others follow ("": none). regime: sensors that tell the
    operating regime apart, and `regimes`, how many there are. limit_share: of the reference's rows beyond each limit.
    recent_h: how long an error counts as recent. joint: number of joint signals, the principal directions in which the
    sensors move together: their noise averages out. drifts: distances from early life, in spreads, whose passing is
    timed.
    """

    window_min: Annotated[float, Field(gt=0)] = 60.0
    within: bool = True
    spans: Annotated[tuple[Span, ...], Field(min_length=1)] = (4, 24, 96)
    early: Annotated[int, Field(ge=1, le=1_000_000)] = 24
    load: str = ""
    regime: tuple[str, ...] = ()
    regimes: Annotated[int, Field(ge=1, le=1_000)] = 1
    limit_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.01
    recent_h: Annotated[float, Field(gt=0)] = 168.0
    joint: Annotated[int, Field(ge=0, le=100)] = 2
    drifts: tuple[Annotated[float, Field(gt=0)], ...] = (0.4, 0.6, 0.8, 1.0, 1.3)
