"""Assembly stations: parts of several variants become one.

A machine gathers what its next piece of work takes as it comes, out of turn where others are in the way: a full
buffer never keeps a part from a machine that needs it. A part it holds while it lacks others is a row starved with
the part's number; when nothing is missing any more, all but the main part leave as join rows.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import simpy

from twinloop.simulation.engine.depot import Depot
from twinloop.simulation.engine.entities import Part
from twinloop.simulation.engine.machines import GOOD, Fetching, Machine
from twinloop.simulation.events.log import JOIN, NO_PART, STARVED, EventLog


class Kit:
    """The parts of one piece of work; `missing` counts those still to come by variant."""

    __slots__ = ("_waiting", "missing", "parts")

    def __init__(self, recipe: Mapping[int, int]) -> None:
        self.missing, self.parts = Counter(recipe), list[Part]()
        self._waiting: simpy.Event | None = None

    def add(self, part: Part) -> None:
        """One of the missing parts has come."""
        self.parts.append(part)
        self.missing[part.variant] -= 1
        if self._waiting is not None:
            self._waiting.succeed()
            self._waiting = None

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not any(self.missing.values())

    def arrival(self, env: simpy.Environment) -> simpy.Event:
        """An event that fires with the next part."""
        self._waiting = env.event()
        return self._waiting


class Shelf(Depot):
    """The buffer in front of an assembly: what is needed goes to the kit, the rest waits here."""

    __slots__ = ("_kits",)

    def __init__(
        self,
        env: simpy.Environment,
        log: EventLog,
        entity: int,
        *,
        name: str,
        capacity: float,
        make: Callable[[], Part] | None = None,
    ) -> None:
        super().__init__(env, log, entity, name=name, capacity=capacity, make=make)
        self._kits: list[Kit] = []

    def admits(self, part: Part) -> bool:
        """Whether there is room for the part: here, or in a kit that lacks it."""
        coming = self._promised + Counter((part.variant,))
        wanted = sum((kit.missing for kit in self._kits), Counter[int]())
        # Counter subtraction keeps what is positive: the parts that come and find no kit.
        return len(self.parts) + (coming - wanted).total() <= self.capacity

    def gather(self, kit: Kit) -> None:
        """Give a kit what is here, and from now on what comes."""
        self._kits.append(kit)
        waiting = list(self.parts)
        self.parts.clear()
        for part in waiting:
            if not self._give(part):
                self.parts.append(part)
        self._refill()
        while self._make and not kit.complete:
            self._accept(self._make())

    def _give(self, part: Part) -> bool:
        for kit in self._kits:
            if kit.missing[part.variant]:
                kit.add(part)
                if kit.complete:
                    self._kits.remove(kit)
                return True
        return False

    def _sort(self, part: Part) -> int:
        return part.variant

    def _accept(self, part: Part) -> None:
        if not self._give(part):
            self._rest(part)

    def _refill(self) -> None:
        for giver in list(self._givers):
            if self.admits(giver[0]):
                self._givers.remove(giver)
                self._enter(*giver)


class Assembly:
    """How a machine gathers a kit; `recipe` is variant → number, the main one first.

    A part that a defective one is built into becomes defective itself.
    """

    def __init__(self, shelf: Shelf, recipe: Mapping[int, int], variants: Sequence[str]) -> None:
        self._shelf, self._recipe, self._variants = shelf, recipe, variants

    def __call__(self, machine: Machine) -> Fetching:
        """Gather the next kit: returns its main part, the others are joined to it."""
        kit, logged = Kit(self._recipe), 0
        self._shelf.gather(kit)
        while not kit.complete:
            for part in kit.parts[logged:-1]:
                machine.note(STARVED, part.number)
            logged = len(kit.parts)
            held = kit.parts[-1].number if kit.parts else NO_PART
            yield from machine.wait(kit.arrival(machine.env), STARVED, self._lack(kit), held)
        chief = next(iter(self._recipe))
        main = next(part for part in kit.parts if part.variant == chief)
        for part in kit.parts:
            if part is not main:
                machine.log.record(
                    machine.env.now, JOIN, machine.entity, part.number, part.condition, float(main.number)
                )
                if main.condition == GOOD:
                    main.condition = part.condition
        return main

    def _lack(self, kit: Kit) -> str:
        lacking = ", ".join(f"{count} {self._variants[variant]}" for variant, count in kit.missing.items() if count)
        return f"{lacking} from {self._shelf.name}"
