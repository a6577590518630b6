"""How a machine degrades: a level that grows with its work until it fails."""

from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings

Positive = Annotated[float, Field(gt=0)]


@settings
class Wear:
    """A wear level that starts at 0 and fails the machine at `limit`, as a function of minutes of work."""

    kind: Literal["gamma", "wiener", "weibull"]
    mean_life_min: Positive
    cv: Positive = 0.3
    limit: Positive = 1.0
