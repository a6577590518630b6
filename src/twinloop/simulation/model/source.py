"""What enters a line: variants with their routes, arriving, always there, or as orders with due dates."""

from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.names import Name


@settings
class Variant:
    """A product variant: its share of the lots and a factor on every station's cycle time.

    route: stations in the order of visits, a station may come again; null: all stations in order. Where
    stations branch (`Station.next`), the first of the route is where the variant enters and the rest is not used.
    """

    name: Name
    share: Annotated[float, Field(gt=0)] = 1.0
    cycle_factor: Annotated[float, Field(gt=0)] = 1.0
    route: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None


@settings
class Order:
    """A job: `quantity` parts of one variant, released together, to be finished by `due_min` (null: no due date)."""

    name: Name
    variant: Name
    quantity: Annotated[int, Field(ge=1)] = 1
    release_min: Annotated[float, Field(ge=0)] = 0.0
    due_min: Annotated[float, Field(gt=0)] | None = None


@settings
class Source:
    """Where parts come from: arriving one by one, or always there (`interarrival: null`, saturated).

    Lots of `lot_size` parts come in random order of variants. `plan: fifo` releases them so; `grouped`
    sorts every `window` lots by variant, which saves set-ups. With `orders` only these are made.
    """

    interarrival: Distribution | None = None
    variants: Annotated[tuple[Variant, ...], Field(min_length=1)] = (Variant(name="part"),)
    lot_size: Annotated[int, Field(ge=1)] = 1
    plan: Literal["fifo", "grouped"] = "fifo"
    window: Annotated[int, Field(ge=1)] = 6
    orders: tuple[Order, ...] = ()
