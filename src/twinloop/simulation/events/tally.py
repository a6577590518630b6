"""One pass over the rows of a log that counts all that key figures are made of, as machine code.

Rows come in any number of portions, so that a log need never be in memory as a whole, or one by one as they happen, so
that there need not be a log. A machine's rows must come in the order of their time; different machines may be mixed as
they like.
"""

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from twinloop.simulation.events.log import (
    DOWN,
    ENTER,
    JOIN,
    LEAVING,
    MAINTENANCE,
    QUEUE,
    REINSPECT,
    REJECT,
    RUNNING,
    SCRAP,
    SHIP,
    SOURCE,
    SPAN,
    STARVED,
    STATES,
    EventLog,
)
from twinloop.simulation.jit import machine_code

Records = NDArray[Any]
GOOD = 0
NOWHERE = -1
LEAST_PARTS = 256
COUNTS = np.dtype(
    [
        ("started", np.int64),
        ("shipped", np.int64),
        ("escapes", np.int64),
        ("scrapped", np.int64),
        ("joined", np.int64),
        ("lost", np.int64),
        ("turned_away", np.int64),
        ("refused", np.int64),
        ("good_scrapped", np.int64),
        ("right_first_time", np.int64),
        ("looks_again", np.int64),
        ("reworks", np.int64),
        ("failures", np.int64),
        ("maintenances", np.int64),
        ("part_minutes", np.float64),
        ("stay_minutes", np.float64),
        ("second_quarter_minutes", np.float64),
        ("last_quarter_minutes", np.float64),
    ],
    align=True,
)
SCOPE = np.dtype(
    [
        ("start", np.float64),
        ("horizon", np.float64),
        ("first_rework", np.int64),
        ("first_resource", np.int64),
        ("first_span", np.int64),
    ],
    align=True,
)
ENTITY = np.dtype([("since", np.float64), ("state", np.int64)], align=True)
PART = np.dtype([("entered", np.float64), ("inside", np.int64), ("rejected", np.int64)], align=True)


@machine_code
def _add_quarters(count: Any, entered: float, left: float, horizon: float) -> None:
    """Add the minutes in two quarters of the time of a part that was there from `entered` to `left`."""
    quarter = horizon / 4
    count.second_quarter_minutes += max(min(left, 2 * quarter) - max(entered, quarter), 0.0)
    count.last_quarter_minutes += max(left - max(entered, 3 * quarter), 0.0)


class Counted(NamedTuple):
    """What a tally is made of, as machine code takes it.

    scope: [1] which minutes and entities count. counts: [1]. entities: [entities] what each does now. parts: by number.
    minutes: [entities, STATES].
    """

    scope: Records
    counts: Records
    entities: Records
    parts: Records
    minutes: NDArray[np.float64]


@machine_code
def count(tally: Counted, time: float, event: int, number: int, part_number: int, condition: int) -> bool:
    """Add one row, of entity `number`; False when it comes before an earlier row of this machine."""
    scope, counts = tally.scope[0], tally.counts[0]
    if event in (QUEUE, SPAN):
        return True
    if event >= STARVED:
        entity = tally.entities[number]
        if time < entity.since:
            return False
        spent = min(time, scope.horizon) - max(entity.since, scope.start)
        if spent > 0 and entity.state != NOWHERE:
            tally.minutes[number, entity.state] += spent
        entity.since, entity.state = time, event - STARVED
        if time >= scope.start:
            if event == RUNNING and scope.first_rework <= number < scope.first_resource:
                counts.reworks += 1
            elif event == DOWN:
                counts.failures += 1
            elif event == MAINTENANCE:
                counts.maintenances += 1
    elif event == ENTER:
        part = tally.parts[part_number]
        part.entered, part.inside = time, 1
        if time >= scope.start:
            counts.started += 1
    elif event in LEAVING:
        part = tally.parts[part_number]
        part.inside = 0
        _add_quarters(counts, part.entered, time, scope.horizon)
        if time >= scope.start:
            counts.part_minutes += time - max(part.entered, scope.start)
            if event == SHIP:
                counts.shipped += 1
                counts.stay_minutes += time - part.entered
                if condition > GOOD:  # a plant that does not tell the class has no known escape
                    counts.escapes += 1
                elif not part.rejected:
                    counts.right_first_time += 1
            elif event == SCRAP:
                counts.scrapped += 1
                counts.stay_minutes += time - part.entered
                if condition == GOOD:
                    counts.good_scrapped += 1
            elif event == JOIN:
                counts.joined += 1
            else:
                counts.lost += 1
                counts.turned_away += int(number == SOURCE)
                counts.refused += int(number == SOURCE or number >= scope.first_span)
    elif event == REJECT:
        tally.parts[part_number].rejected = 1
    elif event == REINSPECT and time >= scope.start:
        counts.looks_again += 1
    return True


@machine_code
def _add(rows: Records, number: int, tally: Counted) -> bool:
    """Add `number` rows; False when the rows of a machine are not in the order of their time."""
    for place in range(number):
        row = rows[place]
        if not count(tally, row.time, row.event, row.entity, row.part, row.condition):
            return False
    return True


@machine_code
def _close(tally: Counted) -> None:
    """Add what lasts at the horizon: the states of all machines, the parts still there."""
    start, horizon = tally.scope[0].start, tally.scope[0].horizon
    for number in range(len(tally.entities)):
        entity = tally.entities[number]
        spent = horizon - max(entity.since, start)
        if spent > 0 and entity.state != NOWHERE:
            tally.minutes[number, entity.state] += spent
    for number in range(len(tally.parts)):
        part = tally.parts[number]
        if part.inside:
            tally.counts[0].part_minutes += horizon - max(part.entered, start)
            _add_quarters(tally.counts[0], part.entered, horizon, horizon)


class Tally:
    """What is counted between minute `start` and the horizon.

    first_rework, first_resource: entities from the one on, and before the other (null: the last), are rework places.
    spans: how many of the last entities are spans.
    """

    def __init__(
        self,
        entities: int,
        *,
        start: float,
        horizon: float,
        first_rework: int,
        first_resource: int | None = None,
        spans: int = 0,
    ) -> None:
        self.start, self.horizon = start, horizon
        self._first_span, self._taken = entities - spans, [list[NDArray[np.float64]]() for _ in range(spans)]
        last = entities if first_resource is None else first_resource
        states = np.zeros(entities, dtype=ENTITY)
        states["since"], states["state"] = -np.inf, NOWHERE
        self.counted = Counted(
            np.array([(start, horizon, first_rework, last, self._first_span)], dtype=SCOPE),
            np.zeros(1, dtype=COUNTS),
            states,
            np.zeros(0, dtype=PART),
            np.zeros((entities, len(STATES))),
        )

    @property
    def minutes(self) -> NDArray[np.float64]:
        """[entities, STATES] minutes, complete after `close`."""
        return self.counted.minutes

    @classmethod
    def of(
        cls, log: EventLog, *, start: float, first_rework: int, first_resource: int | None = None, spans: int = 0
    ) -> Self:
        """The tally of a whole log."""
        rows = log.records
        for _ in range(2):
            tally = cls(
                len(log.entities),
                start=start,
                horizon=log.horizon,
                first_rework=first_rework,
                first_resource=first_resource,
                spans=spans,
            )
            if tally.add(rows, len(rows), int(log.part.max(initial=-1)) + 1):
                break
            rows = rows[log.order()]
        tally.close()
        return tally

    def add(self, rows: Records, number: int, parts: int) -> bool:
        """Count the first `number` rows, of parts with numbers below `parts`.

        Returns whether each machine's rows came in the order of their time; if not, begin again with sorted rows.
        """
        self.make_room(parts)
        if self._taken:
            self._add_spans(rows[:number])
        return _add(rows, number, self.counted)

    def make_room(self, parts: int) -> None:
        """Be ready for parts with numbers below `parts`: `counted` may be another one then."""
        known = self.counted.parts
        if parts > len(known):
            grown = np.zeros(max(parts, 2 * len(known), LEAST_PARTS), dtype=PART)
            grown[: len(known)] = known
            self.counted = self.counted._replace(parts=grown)

    def _add_spans(self, rows: Records) -> None:
        ended = rows[(rows["event"] == SPAN) & (rows["time"] >= self.start)]
        for number, taken in enumerate(self._taken, start=self._first_span):
            taken.append(ended["value"][ended["entity"] == number].copy())

    @property
    def spans(self) -> tuple[NDArray[np.float64], ...]:
        """Of every span the minutes that each part took that ended it from `start` on."""
        return tuple(np.concatenate([*taken, np.empty(0)]) for taken in self._taken)

    def close(self) -> None:
        """Count what lasts until the horizon."""
        _close(self.counted)

    @property
    def counts(self) -> dict[str, float]:
        """Numbers by name (COUNTS); stays and parts in minutes."""
        return dict(zip(COUNTS.names or (), self.counted.counts[0].tolist(), strict=True))
