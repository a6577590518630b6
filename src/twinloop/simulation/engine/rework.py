"""Where rejected parts are repaired, and what a repair makes of a part of each class."""

from twinloop.errors import InputError
from twinloop.replication.streams import ByPart
from twinloop.simulation.engine.entities import Part
from twinloop.simulation.engine.machines import GOOD, Machine, Place, Process
from twinloop.simulation.model.line import Line
from twinloop.simulation.model.station import Station


class Repairer(Machine):
    """A rework place: may remove the defect, then sends the part back to be inspected again."""

    def __init__(self, place: Place, station: Station, *, success: tuple[float, ...]) -> None:
        super().__init__(place, station)
        self._success, self._streams, self._luck = success, place.streams, list[ByPart]()

    def _process(self, part: Part) -> Process:
        yield from super()._process(part)
        visit = part.reworks
        while visit >= len(self._luck):
            self._luck.append(self._streams.by_part(f"rework {len(self._luck)}", "uniform"))
        part.reworks = visit + 1
        if self._luck[visit][part.number] < self._success[part.condition]:
            part.condition = GOOD

    def _pass_on(self, part: Part) -> Process:
        if not self.outlet.put(part):
            yield from self._wait_for_room(self.outlet, part, first=True)


def success_by_class(line: Line, classes: tuple[str, ...]) -> tuple[float, ...]:
    """[C] probability that one rework visit makes a part of the class good.

    Raises InputError for a class that the operating curve does not know.
    """
    rework = line.rework
    if rework is None:
        return ()
    foreign = sorted(set(rework.success_by_class) - set(classes))
    if foreign:
        raise InputError(
            f"Rework.success_by_class names {foreign[0]!r}, which the operating curve does not know "
            f"(its classes: {', '.join(classes)}): remove it, or evaluate a model of these classes"
        )
    return tuple(rework.success_by_class.get(name, rework.success) for name in classes)
