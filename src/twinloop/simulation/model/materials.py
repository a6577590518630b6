"""Materials that stations use up, and how they are ordered again."""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.names import Name


@settings
class Material:
    """A stock: when it falls to `reorder_at`, `order_quantity` more comes after `lead_time` (null: never)."""

    name: Name
    initial: Annotated[float, Field(ge=0)]
    reorder_at: Annotated[float, Field(ge=0)] = 0.0
    order_quantity: Annotated[float, Field(gt=0)] = 1.0
    lead_time: Distribution | None = None
