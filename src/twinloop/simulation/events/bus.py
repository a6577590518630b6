"""Typed events for those who listen: objects are built from the log's rows only while there is a subscriber.

Handlers are called in the order of subscription, and see events in the order of time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from twinloop.contracts.event import Event, EventKind
from twinloop.errors import RunError, unknown
from twinloop.simulation.events.log import EVENTS, NO_PART, UNKNOWN, Row

Handler = Callable[[Event], object]
KINDS = tuple(EventKind)


@dataclass(frozen=True, eq=False)
class Subscription:
    """Who hears of what: kinds of events of entities."""

    handler: Handler
    kinds: frozenset[int]
    entities: frozenset[int]

    @property
    def name(self) -> str:
        return str(getattr(self.handler, "__qualname__", type(self.handler).__name__))


class EventBus:
    """Subscriptions to a log's events. entities: names by entity number. classes: names by condition."""

    def __init__(self, entities: Sequence[str], classes: Sequence[str]) -> None:
        self._entities, self._classes = tuple(entities), tuple(classes)
        self._subscriptions: tuple[Subscription, ...] = ()

    def __len__(self) -> int:
        return len(self._subscriptions)

    def subscribe(
        self, handler: Handler, *, kinds: Iterable[str] | None = None, entities: Iterable[str] | None = None
    ) -> Subscription:
        """Call `handler` with every event of these kinds and entities (default: all).

        Raises InputError for a kind or an entity that does not exist.
        """
        subscription = Subscription(
            handler, _numbers(kinds, EVENTS, "kind"), _numbers(entities, self._entities, "entity")
        )
        self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Call its handler no more; nothing happens where that was so already."""
        self._subscriptions = tuple(one for one in self._subscriptions if one is not subscription)

    def publish(self, row: Row) -> None:
        """Hand one row to those who want it. Raises RunError that names the handler that failed."""
        wanted = [one for one in self._subscriptions if row[1] in one.kinds and row[2] in one.entities]
        if not wanted:
            return
        event = self._event(row)
        for subscription in wanted:
            # One that was unsubscribed by another handler of this very event hears no more.
            if subscription not in self._subscriptions:
                continue
            try:
                subscription.handler(event)
            except Exception as error:
                what = f"{event.kind} of {event.entity} at minute {event.time_min:.1f}"
                raise RunError(
                    f"simulate: handler {subscription.name} failed on {what}: {type(error).__name__}: {error}"
                ) from error

    def _event(self, row: Row) -> Event:
        time, event, entity, part, condition, value = row
        return Event(
            time,
            KINDS[event],
            self._entities[entity],
            None if part == NO_PART else part,
            None if condition == UNKNOWN else self._classes[condition],
            None if value != value else value,
        )


def _numbers(chosen: Iterable[str] | None, names: Sequence[str], what: str) -> frozenset[int]:
    if chosen is None:
        return frozenset(range(len(names)))
    chosen = (chosen,) if isinstance(chosen, str) else tuple(chosen)
    for name in chosen:
        if name not in names:
            raise unknown(f"subscribe: {what}", name, names)
    return frozenset(names.index(name) for name in chosen)
