"""One replication of a fleet before anything is decided: lives, planned driving and opening hours."""

from collections.abc import Mapping
from dataclasses import dataclass

from twinloop.errors import InputError
from twinloop.replication.streams import Streams
from twinloop.simulation.fleet.duty import MINUTES_PER_DAY, Duties
from twinloop.simulation.fleet.lives import Lives
from twinloop.simulation.fleet.vehicle import Fleet
from twinloop.simulation.fleet.workshop import Opening

# Repairs that begin near the end are done after it.
MARGIN_DAYS = 60


@dataclass(frozen=True, eq=False)
class World:
    """What all policies of one replication share. Times are minutes from the first day of its warm-up on."""

    fleet: Fleet
    days: int
    warmup_days: int
    lives: Lives
    duties: Duties
    opening: Opening

    @classmethod
    def of(
        cls,
        fleet: Fleet,
        *,
        days: int,
        warmup_days: int = 0,
        seed: int = 1,
        replication: int = 0,
        batch_life: Mapping[tuple[str, str, int], float] | None = None,
    ) -> "World":
        """The world of that seed and number; batch_life: (component, supplier, batch) → factor of its mean life.

        Raises InputError for less than a day and for a workshop that never opens.
        """
        if days < 1 or warmup_days < 0:
            raise InputError(f"fleet: expected days ≥ 1 and warmup_days ≥ 0, got {days} and {warmup_days}")
        streams = Streams(seed, replication)
        lives = Lives(fleet, streams, batch_life=batch_life)
        duties = fleet.duties(streams, days, warmup_days=warmup_days)
        dates = fleet.dates(days + MARGIN_DAYS, warmup_days=warmup_days)
        opening = Opening(fleet.workshop, dates, first=-warmup_days)
        if not opening.begins:
            raise InputError(
                f"workshop: closed on all of {len(dates.weekday)} days: expected one on which it opens; change its "
                "shifts or the days it is closed"
            )
        return cls(fleet, days, warmup_days, lives, duties, opening)

    @property
    def begin_min(self) -> float:
        """When counting begins."""
        return self.warmup_days * MINUTES_PER_DAY

    @property
    def end_min(self) -> float:
        """When the replication ends."""
        return (self.warmup_days + self.days) * MINUTES_PER_DAY
