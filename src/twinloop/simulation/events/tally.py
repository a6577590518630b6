"""One pass over the rows of a log that counts all that key figures are made of, as machine code.

Rows come in any number of portions, so that a log need never be in memory as a whole. A machine's rows must come in
the order of their time; different machines may be mixed as they like.
"""

from typing import Any, Self

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
ENTITY = np.dtype([("since", np.float64), ("state", np.int64)], align=True)
PART = np.dtype([("entered", np.float64), ("inside", np.int64), ("rejected", np.int64)], align=True)


@machine_code
def _add_quarters(count: Any, entered: float, left: float, horizon: float) -> None:
    """Add the minutes in two quarters of the time of a part that was there from `entered` to `left`."""
    quarter = horizon / 4
    count.second_quarter_minutes += max(min(left, 2 * quarter) - max(entered, quarter), 0.0)
    count.last_quarter_minutes += max(left - max(entered, 3 * quarter), 0.0)


@machine_code
def _add(
    rows: Records,
    number: int,
    counts: Records,
    entities: Records,
    parts: Records,
    minutes: NDArray[np.float64],
    start: float,
    horizon: float,
    first_rework: int,
    first_resource: int,
    first_span: int,
) -> bool:
    """Add `number` rows; False when the rows of a machine are not in the order of their time."""
    count = counts[0]
    for place in range(number):
        row = rows[place]
        event = row.event
        if event in (QUEUE, SPAN):
            continue
        time = row.time
        if event >= STARVED:
            entity = entities[row.entity]
            if time < entity.since:
                return False
            spent = min(time, horizon) - max(entity.since, start)
            if spent > 0 and entity.state != NOWHERE:
                minutes[row.entity, entity.state] += spent
            entity.since, entity.state = time, event - STARVED
            if time >= start:
                if event == RUNNING and first_rework <= row.entity < first_resource:
                    count.reworks += 1
                elif event == DOWN:
                    count.failures += 1
                elif event == MAINTENANCE:
                    count.maintenances += 1
        elif event == ENTER:
            part = parts[row.part]
            part.entered, part.inside = time, 1
            if time >= start:
                count.started += 1
        elif event in LEAVING:
            part = parts[row.part]
            part.inside = 0
            _add_quarters(count, part.entered, time, horizon)
            if time >= start:
                count.part_minutes += time - max(part.entered, start)
                if event == SHIP:
                    count.shipped += 1
                    count.stay_minutes += time - part.entered
                    if row.condition > GOOD:  # a plant that does not tell the class has no known escape
                        count.escapes += 1
                    elif not part.rejected:
                        count.right_first_time += 1
                elif event == SCRAP:
                    count.scrapped += 1
                    count.stay_minutes += time - part.entered
                    if row.condition == GOOD:
                        count.good_scrapped += 1
                elif event == JOIN:
                    count.joined += 1
                else:
                    count.lost += 1
                    count.turned_away += int(row.entity == SOURCE)
                    count.refused += int(row.entity == SOURCE or row.entity >= first_span)
        elif event == REJECT:
            parts[row.part].rejected = 1
        elif event == REINSPECT and time >= start:
            count.looks_again += 1
    return True


@machine_code
def _close(
    counts: Records,
    entities: Records,
    parts: Records,
    minutes: NDArray[np.float64],
    start: float,
    horizon: float,
) -> None:
    """Add what lasts at the horizon: the states of all machines, the parts still there."""
    for number in range(len(entities)):
        spent = horizon - max(entities[number].since, start)
        if spent > 0 and entities[number].state != NOWHERE:
            minutes[number, entities[number].state] += spent
    for number in range(len(parts)):
        if parts[number].inside:
            counts[0].part_minutes += horizon - max(parts[number].entered, start)
            _add_quarters(counts[0], parts[number].entered, horizon, horizon)


class Tally:
    """What is counted between minute `start` and the horizon. minutes: [entities, STATES], complete after `close`.

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
        self.start, self.horizon, self._first_rework = start, horizon, first_rework
        self._first_resource = entities if first_resource is None else first_resource
        self._first_span, self._taken = entities - spans, [list[NDArray[np.float64]]() for _ in range(spans)]
        self._counts = np.zeros(1, dtype=COUNTS)
        self._entities = np.zeros(entities, dtype=ENTITY)
        self._entities["since"], self._entities["state"] = -np.inf, NOWHERE
        self._parts = np.zeros(0, dtype=PART)
        self.minutes = np.zeros((entities, len(STATES)))

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
        if parts > len(self._parts):
            grown = np.zeros(max(parts, 2 * len(self._parts)), dtype=PART)
            grown[: len(self._parts)] = self._parts
            self._parts = grown
        if self._taken:
            self._add_spans(rows[:number])
        return _add(
            rows,
            number,
            self._counts,
            self._entities,
            self._parts,
            self.minutes,
            self.start,
            self.horizon,
            self._first_rework,
            self._first_resource,
            self._first_span,
        )

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
        _close(self._counts, self._entities, self._parts, self.minutes, self.start, self.horizon)

    @property
    def counts(self) -> dict[str, float]:
        """Numbers by name (COUNTS); stays and parts in minutes."""
        return dict(zip(COUNTS.names or (), self._counts[0].tolist(), strict=True))
