"""Settings of the drift monitor, in a module that imports in no time."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings


@settings
class DriftSettings:
    """How often the monitor looks, and how often it may be wrong.

    window: samples (images, rows of a signal) that are held against the reference at once.
    false_alarms_per_1000_windows: in how many of 1000 windows without a change anything at all may be raised.
    """

    window: Annotated[int, Field(ge=5, le=10_000_000)] = 100
    false_alarms_per_1000_windows: Annotated[float, Field(gt=0, le=500)] = 1.0

    @property
    def level(self) -> float:
        """The same as a probability per window."""
        return self.false_alarms_per_1000_windows / 1000
