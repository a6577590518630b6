"""Settings of reading what a person has: which layout, how clocks are read, and what becomes of doubtful entries."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings

Kind = Literal["auto", "person", "qmsum", "squad", "digits", "recordings", "calendar", "documents"]


@settings
class CalendarSettings:
    """How iCalendar is read.

    zone: of times without one, as Europe/Berlin ("": ask). until: the last day of recurrences, YYYY-MM-DD ("": ask
    where one goes on without an end). clock_change: a time that a clock skips or shows twice; `standard` takes RFC
    5545's rule (the offset before the gap, the first of two). most_events: that one recurrence may have.
    """

    zone: str = ""
    until: str = ""
    clock_change: Literal["refuse", "standard"] = "refuse"
    most_events: Annotated[int, Field(ge=1, le=10_000_000)] = 10_000

    def __post_init__(self) -> None:
        if self.until:
            try:
                date.fromisoformat(self.until)
            except ValueError:
                raise ValueError(f"expected until as YYYY-MM-DD, found {self.until!r}") from None


@settings
class CorpusSettings:
    """What is read. kind: a layout of `datasets.layouts`, or `auto` to have it recognised.

    max_bytes: of one file. val_share, test_share: of documents or speakers where the source does not divide them.
    """

    kind: Kind = "auto"
    max_bytes: Annotated[int, Field(ge=1)] = 500_000_000
    val_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.3
    calendar: CalendarSettings = CalendarSettings()

    def __post_init__(self) -> None:
        if self.val_share + self.test_share >= 1:
            raise ValueError("expected val_share + test_share below 1, so that something remains to train on")
