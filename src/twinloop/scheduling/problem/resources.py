"""What operations share or use up: closed windows of the calendar, pools of people and tools, materials."""

from dataclasses import dataclass
from typing import Any, ClassVar

from twinloop.config.schema import CONFIG


@dataclass(frozen=True, order=True)
class Window:
    """Closed during [start, end): no shift, a break, maintenance."""

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    start: int
    end: int


@dataclass(frozen=True)
class Pool:
    """`capacity` equal people or tools that operations hold while they run; nobody is there in `closed` windows."""

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    name: str
    capacity: int = 1
    closed: tuple[Window, ...] = ()


@dataclass(frozen=True)
class Operator:
    """One person with one or several skills, away in `closed` windows like all who share one."""

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    name: str
    skills: tuple[str, ...]
    closed: tuple[Window, ...] = ()


@dataclass(frozen=True)
class Material:
    """A stock of `initial` units and `deliveries` as (time, quantity)."""

    __pydantic_config__: ClassVar[Any] = CONFIG  # read from a file, nothing unknown passes

    name: str
    initial: int = 0
    deliveries: tuple[tuple[int, int], ...] = ()
