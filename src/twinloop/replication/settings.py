"""A search for the best setting of a system's knobs, as configuration."""

import dataclasses
from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.search_space import Dimension

Positive = Annotated[float, Field(gt=0)]


@settings
class Knob(Dimension):
    """One thing an optimisation may set; `price_per_day` (euro) is what each unit more than today's costs a day."""

    price_per_day: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.price_per_day and self.kind == "categorical":
            raise ValueError("price_per_day is per unit: expected a knob of kind int or float")


@settings
class SearchSettings:
    """A search for the best system: `trials` ways to set the knobs of `space`, `trials: 0` looks for nothing.

    space: name of what is set → knob.
    objective: the key figure that is maximised, after the knobs' prices.
    batch: trials asked for together; the answer does not depend on the number of workers.
    random_trials: the first trials, spread at random before the sampler learns from them.
    replications: per trial, with the same random numbers in all of them.
    finalists: the best trials that are judged anew with `final_replications` fresh ones, and as many again until one
        is better than the others by more than `indifference` (in the objective's unit) or there are `max_replications`.
    """

    trials: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    space: dict[str, Knob] = dataclasses.field(default_factory=dict)
    objective: str
    batch: Annotated[int, Field(ge=1, le=10_000)] = 8
    random_trials: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    replications: Annotated[int, Field(ge=2, le=1_000_000)] = 8
    finalists: Annotated[int, Field(ge=1, le=10_000)] = 4
    final_replications: Annotated[int, Field(ge=2, le=1_000_000)] = 40
    max_replications: Annotated[int, Field(ge=2, le=1_000_000)] = 200
    indifference: Positive

    def __post_init__(self) -> None:
        if self.trials and not self.space:
            raise ValueError("trials expect a space to search in: name at least one path, or set trials: 0")
        if self.max_replications < self.final_replications:
            raise ValueError("expected max_replications ≥ final_replications")
