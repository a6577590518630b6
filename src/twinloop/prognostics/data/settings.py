"""Settings of reading telemetry: which layout, how its clock is read, and what becomes of what cannot be right."""

from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings

Kind = Literal["auto", "cmapss", "obd", "nab", "ai4i", "azure", "table"]


@settings
class DataSettings:
    """What is read and what becomes of doubtful rows; whatever a policy changes is counted.

    kind: a layout of `data.layouts`, or `auto` to have it recognised by content. subset: one of the several that
    C-MAPSS holds, as FD001. cycle_hours: hours of work that one C-MAPSS cycle stands for. with_leaks: keep columns that
    give the label away (failure modes, remaining life) among the sensors.

    zone: of timestamps without one, as Europe/Berlin or UTC. ambiguous: which one the hour that a clock shows twice is.
    duplicates: two rows of one asset and time. backwards: a clock that jumps back into time already recorded; `drop`
    leaves out the rows until it has caught up. drift: more than `largest_drift` minutes a day between `time` and
    `received`; `received` takes the latter.

    missing: keep values missing, or hold the last one for up to `hold_rows` rows. A step of more than `gap_factor` of
    an asset's median step is a gap. stuck: a value that is the same in `stuck_rows` rows while the sensor moves
    elsewhere; `missing` blanks it from there on. unit_change: a level that jumps for good by the factor of a known
    conversion. least_rows: of an asset that is kept. contradictions: a label before its asset's telemetry, a repair
    before its failure, visits that overlap, an event of an asset without telemetry.
    """

    kind: Kind = "auto"
    subset: str = ""
    cycle_hours: Annotated[float, Field(gt=0)] = 1.0
    with_leaks: bool = False
    zone: str = ""
    ambiguous: Literal["refuse", "earliest", "latest"] = "refuse"
    duplicates: Literal["refuse", "first", "last", "mean"] = "refuse"
    backwards: Literal["refuse", "order", "drop"] = "refuse"
    drift: Literal["refuse", "keep", "received"] = "refuse"
    largest_drift: Annotated[float, Field(gt=0)] = 5.0
    missing: Literal["keep", "hold"] = "keep"
    hold_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 5
    gap_factor: Annotated[float, Field(gt=1)] = 10.0
    stuck: Literal["keep", "missing"] = "keep"
    stuck_rows: Annotated[int, Field(ge=3, le=10_000_000)] = 60
    unit_change: Literal["refuse", "keep", "missing"] = "refuse"
    least_rows: Annotated[int, Field(ge=1, le=1_000_000_000)] = 2
    contradictions: Literal["refuse", "drop"] = "refuse"
    max_bytes: Annotated[int, Field(ge=1)] = 20_000_000_000
