"""What a shop is asked to make and how its plan is found, as settings.

Times are whole minutes. The shop is described by what a planner knows: machines with their
breakdowns, products with their routings, the order book's size and how tight its promises are.
"""

from typing import Annotated, Literal, get_args

from pydantic import Field

from twinloop.config import settings

# fmt: off
RuleName = Literal[
    "SPT", "LPT", "FIFO", "EDD", "MWKR", "ATC", "LWKR", "MOPNR", "ATCS", "CR", "S/OPN", "S/RPT+SPT", "COVERT", "PT+WINQ"
]
# fmt: on
Method = Literal["auto", "CP-SAT", RuleName]
Objective = Literal["weighted_tardiness", "makespan"]
RULE_NAMES: tuple[RuleName, ...] = get_args(RuleName)
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
    due_min: Annotated[int, Field(ge=1)]
    weight: Annotated[int, Field(ge=1)] = 5


@settings
class Change:
    """One thing that could be otherwise: one more machine like `machine`, or a rush order."""

    name: Annotated[str, Field(min_length=1)]
    machine: str | None = None
    rush: Rush | None = None

    def __post_init__(self) -> None:
        if (self.machine is None) == (self.rush is None):
            raise ValueError(f"change {self.name!r}: expected either a machine or a rush order")


@settings
class ScheduleSettings:
    """How the plan is found, how it is tried out, and what is asked beside it.

    `deterministic_limit` bounds the search in CP-SAT's deterministic seconds (two or three by the clock),
    so that a result does not depend on the machine; `delay` is 0 for non-delay and 1 for active
    dispatching; `replications` executions under breakdowns are shared by all methods.
    pareto_points: plans between the shortest and the most punctual (0: none), found within `pareto_limit`.
    slacks: multiples of each operation's expected downtime that are promised as buffers. changes: what if.
    study_limit: for each plan that is made for `slacks` and `changes`. reactions: executions in which every breakdown,
    and every rush order of `changes`, is reacted to (0: none).
    """

    method: Method = "auto"
    objective: Objective = "weighted_tardiness"
    rules: tuple[RuleName, ...] = RULE_NAMES
    delay: Annotated[float, Field(ge=0, le=1)] = 0.0
    deterministic_limit: Positive = 4.0
    pareto_points: Annotated[int, Field(ge=0, le=100)] = 6
    pareto_limit: Positive = 4.0
    slacks: tuple[Annotated[float, Field(ge=0)], ...] = (0.0, 0.5, 1.0, 2.0)
    changes: tuple[Change, ...] = ()
    study_limit: Positive = 1.0
    reactions: Annotated[int, Field(ge=0, le=1_000_000)] = 40
    replications: Annotated[int, Field(ge=2, le=1_000_000)] = 200
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    tail: Annotated[float, Field(gt=0, lt=1)] = 0.1

    def __post_init__(self) -> None:
        if not self.rules or len(set(self.rules)) != len(self.rules):
            raise ValueError(f"expected at least one rule and none twice, got {', '.join(self.rules) or 'none'}")
        if self.pareto_points == 1:
            raise ValueError("pareto_points: expected 0 (none) or at least 2")
        if self.reactions == 1:
            raise ValueError("reactions: expected 0 (none) or at least 2")
