"""Settings of detectors of anomalies; free of scikit-learn."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings

Rows = Annotated[int, Field(ge=1, le=1_000_000)]


@settings
class IsolationSettings:
    """An isolation forest (Liu, Ting and Zhou, 2008). rows: that each tree draws; columns: share of columns per tree.

    alarm_share: of the windows that it was fitted to, those that it would call anomalies.
    """

    trees: Annotated[int, Field(ge=1, le=10_000)] = 100
    rows: Annotated[int, Field(ge=2, le=1_000_000)] = 256
    columns: Annotated[float, Field(gt=0, le=1)] = 1.0
    alarm_share: Annotated[float, Field(gt=0, lt=1)] = 0.01
    threads: Annotated[int, Field(ge=1, le=1024)] = 1


@settings
class RollingSettings:
    """A rolling threshold: a value more than `threshold` standard deviations from the mean of the `rows` before it.

    settle: rows before the first alarm.
    """

    rows: Annotated[int, Field(ge=2, le=1_000_000)] = 100
    threshold: Annotated[float, Field(gt=0)] = 4.0
    settle: Annotated[int, Field(ge=2, le=1_000_000)] = 30


@settings
class NoveltySettings:
    """What resembles nothing seen before, told once. lengths: of the windows that are compared, in rows.

    threshold: distance to the nearest window remembered, in standard deviations of the signal, from which on a window
    is new. calm: rows without a new window after which an episode is over. memory: windows that are remembered per
    signal and length; the one unused for longest is forgotten. settle: rows before the first alarm.
    """

    lengths: Annotated[tuple[Annotated[int, Field(ge=1, le=10_000)], ...], Field(min_length=1)] = (1, 24)
    threshold: Annotated[float, Field(gt=0)] = 0.7
    calm: Rows = 48
    memory: Annotated[int, Field(ge=1, le=100_000)] = 256
    settle: Rows = 30

    def __post_init__(self) -> None:
        if list(self.lengths) != sorted(set(self.lengths)):
            raise ValueError(f"lengths = {list(self.lengths)}: expected different lengths, the shortest first")
