"""Settings of an experiment: how long, how often, and which levers are tried against today's line."""

from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.replication.settings import SearchSettings

Positive = Annotated[float, Field(gt=0)]
# A century: a typing error, and nothing that ends.
MOST_DAYS = 36_500


@settings
class Scale:
    """Multiply what is configured."""

    scale: Positive


@settings
class Add:
    """Add to what is configured."""

    add: float


@settings
class Lever:
    """One thing to change, alone, against today; `cost_per_day` (euro) is what the change itself costs.

    change: dotted path of the line → value, {"scale": 0.8} or {"add": 4}. Besides the line's own paths:
    `threshold` ("chosen" or a number), `model` ("fp32", "fp16" or "int8") and `errors` ({"scale": 0.5},
    hypothetical). "{station}" and "{buffer}" in a path repeat the lever for every station that has that
    path and for every buffer; {number} in the name counts them.
    """

    name: Annotated[str, Field(min_length=1)]
    lever: Literal["threshold", "model", "maintenance", "buffer", "plan"]
    change: Annotated[dict[str, int | float | str | Scale | Add], Field(min_length=1)]
    cost_per_day: Annotated[float, Field(ge=0)] = 0.0
    hypothetical: bool = False


@settings
class OptimiseSettings(SearchSettings):
    """A search for the best line: `trials` ways to set the knobs of `space`, `trials: 0` looks for nothing.

    space: dotted path of the line → knob. Besides the line's own paths: `threshold` (accept below) and `band` (the
        width above it in which a part is looked at again).
    indifference: euro a day that are not worth telling finalists apart. The other fields are those of SearchSettings.
    """

    objective: str = "profit_per_day"
    indifference: Positive = 20.0


@settings
class ExperimentSettings:
    """`days` are simulated after `warmup_days`, `replications` times per scenario, with common random numbers.

    precision: replications go on in batches until profit is known to this share of its mean, or there are
        `max_replications`; null: one batch. engine: auto takes the compiled one for lines that it supports.
    """

    days: Annotated[float, Field(gt=0, le=MOST_DAYS)] = 4.0
    warmup_days: Annotated[float, Field(ge=0, le=MOST_DAYS)] = 1.0
    replications: Annotated[int, Field(ge=2, le=1_000_000)] = 40
    precision: Annotated[float, Field(gt=0, lt=1)] | None = None
    max_replications: Annotated[int, Field(ge=2, le=1_000_000)] = 1000
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    engine: Literal["auto", "simpy", "compiled"] = "auto"
    thresholds: Annotated[int, Field(ge=3, le=10_000)] = 12
    levers: tuple[Lever, ...] = ()
    optimise: OptimiseSettings = OptimiseSettings()

    def __post_init__(self) -> None:
        if self.precision is not None and self.max_replications < self.replications:
            raise ValueError("expected max_replications ≥ replications")
