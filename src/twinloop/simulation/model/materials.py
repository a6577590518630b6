"""Materials that stations use up, and how they are ordered again."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from twinloop.config import settings
from twinloop.errors import nearest
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.names import Name
from twinloop.simulation.model.station import Station


@settings
class Material:
    """A stock that is ordered again as soon as its position is at `reorder_at` or below: the (r, nQ) policy.

    Position: what is there and on order, less what stations wait for (Axsäter, Inventory Control, 3.1). As many
    `order_quantity` as bring it above `reorder_at` come together after `lead_time`. Without a lead time no more comes,
    and a station that needs more stops the run.
    """

    name: Name
    initial: Annotated[float, Field(ge=0)]
    reorder_at: Annotated[float, Field(ge=0)] = 0.0
    order_quantity: Annotated[float, Field(gt=0)] = 1.0
    lead_time: Distribution | None = None


def check_materials(materials: Sequence[Material], stations: Sequence[Station]) -> None:
    """Raises ValueError for a station that needs a material the line does not have."""
    known = [material.name for material in materials]
    for station in stations:
        for name in station.materials:
            if name not in known:
                raise ValueError(
                    f"station {station.name}: materials: unknown material {name!r}; {nearest(name, known)}"
                )
