"""What operations share or use up: closed windows, pools of people and tools, set-ups of machines, materials."""

from dataclasses import dataclass
from typing import Any, ClassVar

from twinloop.config.schema import CONFIG
from twinloop.scheduling.problem.weekly import Calendar


@dataclass(frozen=True, order=True)
class Window:
    """Closed (or, of overtime, open) during [start, end): no shift, a break, maintenance."""

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    start: int
    end: int


@dataclass(frozen=True)
class Pool:
    """`capacity` equal people or tools that operations hold while they run, as far as its hours let them be there.

    calendar, closed, repeat, stops, overtime: as those of a machine (`JobShop`); the calendar's shifts may have fewer
    units. Where fewer are there than an operation needs, it is closed for this operation.
    """

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    name: str
    capacity: int = 1
    closed: tuple[Window, ...] = ()
    calendar: Calendar | None = None
    repeat: int | None = None
    stops: tuple[Window, ...] = ()
    overtime: tuple[Window, ...] = ()


@dataclass(frozen=True)
class Changeover:
    """How a machine is set up between families.

    initial: family it is set up for at time 0. crew: pool of which a set-up takes one unit; the set-up then ends when
    its operation starts. unattended: set-ups go on in closed time; otherwise each needs open time in one piece.
    """

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    initial: str | None = None
    crew: str | None = None
    unattended: bool = False


@dataclass(frozen=True)
class Operator:
    """One person with one or several skills, who works at the same hours as all who share one.

    calendar, closed, repeat, stops, overtime: as those of a pool.
    """

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    name: str
    skills: tuple[str, ...]
    closed: tuple[Window, ...] = ()
    calendar: Calendar | None = None
    repeat: int | None = None
    stops: tuple[Window, ...] = ()
    overtime: tuple[Window, ...] = ()


@dataclass(frozen=True)
class Material:
    """A stock of `initial` units and `deliveries` as (time, quantity)."""

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    name: str
    initial: int = 0
    deliveries: tuple[tuple[int, int], ...] = ()
