"""What reading a file gives: a shop, and what the file was taken for; and how one may say what it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from twinloop.numbers import counted
from twinloop.scheduling.clock import Clock, Say
from twinloop.scheduling.problem import JobShop


class How(NamedTuple):
    """What the user says of a file: its kind, the number of its first machine, and when minute 0 is."""

    kind: str | None = None
    first_machine: int | None = None
    clock: Clock | None = None


@dataclass(frozen=True)
class Reading:
    """A shop, the `form` that it was read from, and `notes` of what was assumed or left out.

    breakdowns: mean minutes to failure and to repair by machine, where the file tells them. clock: of its dates.
    minutes: whether the file counts in minutes, or in units that it does not name.
    """

    shop: JobShop
    form: str
    notes: tuple[str, ...] = ()
    breakdowns: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    clock: Clock | None = None
    minutes: bool = False

    @property
    def say(self) -> Say:
        """How its times are said."""
        return Say.of(self.clock, minutes=self.minutes)

    @property
    def head(self) -> str:
        """The form and the size of the shop."""
        shop = self.shop
        operations = sum(len(job.operations) for job in shop.jobs)
        lots = sum(bool(job.part_of) for job in shop.jobs)
        size = f"{counted(len(shop.jobs) - lots, 'job')} × {counted(len(shop.machines), 'machine')}"
        size += f", {counted(lots, 'lot')}" if lots else ""
        return f"{self.form}, {size}, {counted(operations, 'operation')}"

    def __str__(self) -> str:
        return "; ".join((self.head, *self.notes))
