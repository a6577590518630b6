"""What enters a line: variants with their routes, arriving, always there, or as orders with due dates."""

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.errors import nearest
from twinloop.simulation.model.distributions import Distribution
from twinloop.simulation.model.names import Name


@settings
class Variant:
    """A product variant: its share of the lots and a factor on every station's cycle time.

    route: stations in the order of visits, a station may come again; null: all stations in order. Where
    stations branch (`Station.next`), the one station at which the variant enters; null: the first.
    priority: who of those that wait before a station is next (0 first), then who came first; work is never interrupted.
    """

    name: Name
    share: Annotated[float, Field(gt=0)] = 1.0
    cycle_factor: Annotated[float, Field(gt=0)] = 1.0
    priority: Annotated[int, Field(ge=0)] = 0
    route: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None


@settings
class Order:
    """A job: `quantity` parts of one variant, released together, to be finished by `due_min` (null: no due date).

    priority: that of its parts (null: their variant's).
    """

    name: Name
    variant: Name
    quantity: Annotated[int, Field(ge=1)] = 1
    release_min: Annotated[float, Field(ge=0)] = 0.0
    due_min: Annotated[float, Field(gt=0)] | None = None
    priority: Annotated[int, Field(ge=0)] | None = None

    def __post_init__(self) -> None:
        if self.due_min is not None and self.due_min <= self.release_min:
            raise ValueError(
                f"order {self.name}: expected due_min after release_min {self.release_min:g}, got {self.due_min:g}"
            )


@settings
class Source:
    """Where parts come from: arriving one by one, or always there (`interarrival: null`, saturated).

    Lots of `lot_size` parts come in random order of variants. `plan: fifo` releases them so; `grouped`
    sorts every `window` lots by variant, which saves set-ups; `levelled` draws nothing and keeps every variant
    as close to its share as possible at all times (goal chasing, as an assembly needs its parts). With `orders`
    only these are made, in order of release: part 0 is the first of the order released first.
    when_full: a part that arrives and finds no room waits outside, or is lost (Erlang's loss).
    population: so many parts are there from the start and never leave, and nobody else comes (a closed network); who
    is lost on its way begins again.
    """

    interarrival: Distribution | None = None
    variants: Annotated[tuple[Variant, ...], Field(min_length=1)] = (Variant(name="part"),)
    lot_size: Annotated[int, Field(ge=1)] = 1
    plan: Literal["fifo", "grouped", "levelled"] = "fifo"
    window: Annotated[int, Field(ge=1)] = 6
    orders: tuple[Order, ...] = ()
    when_full: Literal["wait", "lose"] = "wait"
    population: Annotated[int, Field(ge=1)] | None = None

    def __post_init__(self) -> None:
        if self.orders and self.interarrival is not None:
            raise ValueError("expected interarrival or orders, got both: with orders only these are made")
        if self.when_full == "lose" and self.interarrival is None:
            raise ValueError("when_full: lose needs interarrival: only parts that arrive can be turned away")
        names, known = [order.name for order in self.orders], [variant.name for variant in self.variants]
        for order in self.orders:
            if order.variant not in known:
                raise ValueError(
                    f"order {order.name}: unknown variant {order.variant!r}; {nearest(order.variant, known)}"
                )
            if names.count(order.name) > 1:
                raise ValueError(f"expected different order names, {order.name!r} comes twice")

    @property
    def released(self) -> tuple[Order, ...]:
        """The orders as they are released: by minute, then as they are listed."""
        return tuple(sorted(self.orders, key=lambda order: order.release_min))

    @property
    def priorities(self) -> set[int]:
        """Every priority that its parts may have."""
        return {self.priority(0, variant) for variant in range(len(self.variants))} | set(self._urgent)

    @cached_property
    def _urgent(self) -> tuple[int, ...]:
        """Priority of every ordered part, by number."""
        by_name = {variant.name: variant.priority for variant in self.variants}
        return tuple(
            by_name[order.variant] if order.priority is None else order.priority
            for order in self.released
            for _ in range(order.quantity)
        )

    def priority(self, number: int, variant: int) -> int:
        """Priority of the part that is made as number `number` (from 0; below 0: it was there before)."""
        urgent = self._urgent
        return urgent[number] if 0 <= number < len(urgent) else self.variants[variant].priority

    @property
    def ordered(self) -> int:
        """Parts of all orders together; 0 where nothing is ordered and parts come without end."""
        return sum(order.quantity for order in self.orders)

    @property
    def shares(self) -> tuple[float, ...]:
        """Each variant's share of the parts: of the orders, if there are any."""
        if not self.orders:
            total = sum(variant.share for variant in self.variants)
            return tuple(variant.share / total for variant in self.variants)
        total = sum(order.quantity for order in self.orders)
        return tuple(
            sum(order.quantity for order in self.orders if order.variant == variant.name) / total
            for variant in self.variants
        )
