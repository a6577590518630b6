"""How the plan of a shop is found and tried out, as settings."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from twinloop.config import settings
from twinloop.scheduling.dispatching import RULES
from twinloop.scheduling.methods import CONFIGURABLE
from twinloop.scheduling.problem.settings import Rush

RULE_NAMES = tuple(RULES)
# In deterministic seconds.
SearchLimit = Annotated[float, Field(gt=0, le=100_000)]
Objective = Literal["weighted_tardiness", "makespan"]
if TYPE_CHECKING:
    RuleName = str
    Method = str
else:
    # Whatever is registered can be configured; another name is refused with the nearest one.
    RuleName = Literal[RULE_NAMES]
    Method = Literal[CONFIGURABLE]


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
    deterministic_limit: SearchLimit = 4.0
    pareto_points: Annotated[int, Field(ge=0, le=100)] = 6
    pareto_limit: SearchLimit = 4.0
    slacks: tuple[Annotated[float, Field(ge=0)], ...] = (0.0, 0.5, 1.0, 2.0)
    changes: tuple[Change, ...] = ()
    study_limit: SearchLimit = 1.0
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
