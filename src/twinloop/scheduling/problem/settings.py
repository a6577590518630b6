"""What a shop is asked to make, as settings: what a planner knows of machines, products and the order book.

Times are whole minutes. Machines come with their breakdowns, products with their routings, the order book with its
size and how tight its promises are.
"""

from typing import Annotated

from pydantic import Field

from twinloop.config import settings

Positive = Annotated[float, Field(gt=0)]


@settings
class ShopMachine:
    """One machine; it fails after an exponential time (null: never); an interrupted operation resumes after repair.

    rework_probability: that an operation fails its inspection; then it is repeated, or rework_min follow.
    """

    name: Annotated[str, Field(min_length=1)]
    mean_time_to_failure_min: Positive | None = None
    mean_repair_min: Positive = 60.0
    rework_probability: Annotated[float, Field(ge=0, lt=1)] = 0.0
    rework_min: Positive | None = None


@settings
class Step:
    """One step of a routing: a set-up, then a fixed time for each piece."""

    machine: Annotated[str, Field(min_length=1)]
    setup_min: Annotated[float, Field(ge=0)] = 0.0
    piece_min: Positive = 1.0


@settings
class Product:
    """What can be ordered, with its share of all orders (any positive numbers, they are normalised)."""

    name: Annotated[str, Field(min_length=1)]
    share: Positive = 1.0
    routing: tuple[Step, ...]

    def __post_init__(self) -> None:
        if not self.routing:
            raise ValueError(f"product {self.name}: expected a routing of at least one step")


@settings
class ShopSettings:
    """A job shop and its order book.

    `due_tightness` is the promised time in multiples of the order's own work; `firm_due_dates` makes
    every promise binding; `duration_cv` is the coefficient of variation of real durations.
    """

    machines: tuple[ShopMachine, ...]
    products: tuple[Product, ...]
    orders: Annotated[int, Field(ge=1, le=10_000)] = 20
    smallest_quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    largest_quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 60
    release_window_min: Annotated[int, Field(ge=0)] = 960
    due_tightness: Annotated[float, Field(ge=1)] = 2.0
    weights: tuple[Annotated[int, Field(ge=1)], ...] = (1, 1, 2, 4)
    firm_due_dates: bool = False
    duration_cv: Annotated[float, Field(ge=0, le=2)] = 0.1

    def __post_init__(self) -> None:
        known = [machine.name for machine in self.machines]
        if not known or len(set(known)) != len(known):
            raise ValueError(f"expected machines with different names, got {known}")
        products = [product.name for product in self.products]
        if not products or len(set(products)) != len(products):
            raise ValueError(f"expected products with different names, got {products}")
        for product in self.products:
            for number, step in enumerate(product.routing):
                if step.machine not in known:
                    raise ValueError(
                        f"product {product.name} step {number}: expected one of the machines {', '.join(known)}, "
                        f"got {step.machine!r}"
                    )
        if self.smallest_quantity > self.largest_quantity:
            raise ValueError(
                f"expected smallest_quantity ≤ largest_quantity, got {self.smallest_quantity} > {self.largest_quantity}"
            )
        if not self.weights:
            raise ValueError("expected at least one weight")


@settings
class Rush:
    """An order that nobody had planned: `quantity` good pieces of a product, to be ready at `due_min`."""

    product: Annotated[str, Field(min_length=1)]
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]
    release_min: Annotated[int, Field(ge=0)] = 0
    due_min: int
    weight: Annotated[int, Field(ge=1)] = 5
