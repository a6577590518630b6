"""How many people can talk to the twin at once, what would make that more, and what many people would cost.

Levers are what could be done: a part twice as fast, another core, more turns from the cache, batches, turning away,
another target. What a lever gains is paired with the service as it is, replication by replication.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from twinloop.contracts import ServiceProfile
from twinloop.numbers import Interval, count, counted, percent, quantity
from twinloop.replication.design import Design
from twinloop.replication.result import Result
from twinloop.replication.side_by_side import TODAY, SideBySide
from twinloop.twins.person.config import ServiceSettings, SimulateSettings
from twinloop.twins.person.load.held import USERS, WORKERS, Setting, fewest_workers, most_users, response
from twinloop.twins.person.load.line import KNOWN, Service

# What does each part of a turn.
TITLES = {"hear": "recogniser", "find": "search", "answer": "answering", "speak": "voice"}
FASTER, CACHED, PATIENT = 2.0, 0.25, 4 / 3
# Numbers of people and of workers that are shown, as shares of the greatest and of the fewest.
AROUND, BESIDE = (0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5), (0.8, 0.9, 1.0, 1.1, 1.25)
# Where nobody is held, how few wait how long.
NONE_HELD = (1, 2, 4, 8, 16)
LEVERS = {"lever": pl.String(), **dict.fromkeys((USERS, "low", "high", "gain", "gain_low", "gain_high"), pl.Float64())}


@dataclass(frozen=True, eq=False)
class Capacity:
    """What a measured service holds.

    held: people at once, as it is and with each lever; batches: with a part in batches beside it in batches of one,
    None where none were measured. users: `held.response` around the greatest number. workers: what so many people need,
    None where no number of workers is enough; sizes: `held.response` around it, with cost_hour and holds. elsewhere:
    what the profile was measured with that is not here, in words.
    """

    service: Service
    settings: ServiceSettings
    people: int
    held: SideBySide
    batches: SideBySide | None
    users: pl.DataFrame
    workers: Result | None
    sizes: pl.DataFrame
    elsewhere: tuple[str, ...] = ()

    @property
    def greatest(self) -> Interval:
        """People at once, with the interval that holds what is not known of the service."""
        return self.held.today[USERS]

    @property
    def levers(self) -> pl.DataFrame:
        """lever, users with low and high, gain with gain_low and gain_high (paired, holding all at once)."""
        frames = [self.held.frame()] + ([self.batches.frame()] if self.batches else [])
        rows = pl.concat(frames).filter(pl.col("scenario") != TODAY)
        columns = ("scenario", "mean", "low", "high", "change", "change_low", "change_high")
        return rows.select(pl.col(old).alias(new) for old, new in zip(columns, LEVERS, strict=True))

    @property
    def bottleneck(self) -> str:
        """The part that makes room for most people when it is twice as fast; of equals the one that works longest."""
        gains = {row["lever"]: row["gain"] for row in self.levers.iter_rows(named=True)}
        busy = dict(zip(self.service.profile.components, self.service.cpu_s.mean(axis=0), strict=True))
        return max(busy, key=lambda part: (gains.get(_faster(part), -math.inf), busy[part]))

    @property
    def gain(self) -> float:
        """People more with the bottleneck twice as fast."""
        return float(self.levers.filter(pl.col("lever") == _faster(self.bottleneck))["gain"][0])

    @property
    def point(self) -> dict[str, Any]:
        """The row of `users` at the greatest number; with one person where even that is too many."""
        found = self.users.filter(pl.col("users") == max(1, _whole(self.greatest)[0]))
        return found.row(0, named=True)

    @property
    def sentence(self) -> str:
        """The answer, and what of it was measured elsewhere."""
        told = f" Measured elsewhere: {'; '.join(self.elsewhere)}." if self.elsewhere else ""
        return self._holds + told

    @property
    def _holds(self) -> str:
        cores = self.service.cores
        here = not self.elsewhere and cores == self.service.profile.origin.cores
        place = "on this machine" if here else f"on {counted(cores, 'core')}"
        target, title = quantity(self.service.target_s, "s", digits=2), TITLES.get(self.bottleneck, self.bottleneck)
        share = "p95" if self.settings.share == 0.95 else f"{percent(self.settings.share, digits=0)} of turns"
        people, low, high = _whole(self.greatest)
        if people < 1:
            alone = float(np.quantile(self.service.alone, self.settings.share))
            more = _whole(self.held.results[_faster(self.bottleneck)][USERS])[0]
            return (
                f"Nobody can talk to it {place} with {share} under {target}, which takes "
                f"{quantity(alone, 's', digits=2)} alone with it; with the {title} twice as fast {_can(more)}."
            )
        seat = f"the next seat is in the {title}" if self.gain > 0 else "no part alone makes them more"
        return f"{_can(people)} talk to it at once {place} ({share} under {target}, {low} … {high}); {seat}."

    @property
    def cost_hour(self) -> float:
        """Of one worker: a core and its memory, in the settings' currency."""
        return self.settings.cost_core_hour + self.service.profile.memory_gib * self.settings.cost_gib_hour

    def metrics(self) -> dict[str, float | str | None]:
        """The stage's figures. Costs are null where nobody can be served."""
        people, low, high = _whole(self.greatest)
        machine, point = self.service.cores * self.cost_hour, self.point
        needed = _whole(self.workers[WORKERS]) if self.workers else (None, None, None)
        return {
            "users": people,
            "users_low": low,
            "users_high": high,
            "users_per_core": self.greatest.mean / self.service.cores,
            "users_per_core_half": self.greatest.half_width / self.service.cores,
            "turn_p95_s": point["p95_s"],
            "turn_p95_s_low": point["low"],
            "turn_p95_s_high": point["high"],
            "turn_within": point["within"],
            "core_utilisation": point["utilisation"],
            "alone_p95_s": float(np.quantile(self.service.alone, 0.95)),
            "cost_per_user_hour": machine / people if people else None,
            "people": self.people,
            "workers_for_people": needed[0],
            "workers_for_people_low": needed[1],
            "workers_for_people_high": needed[2],
            "cost_for_people_hour": None if needed[0] is None else needed[0] * self.cost_hour,
            "bottleneck": self.bottleneck,
            "bottleneck_gain": self.gain,
            "turns": len(self.service.profile),
            "cores": self.service.cores,
        }


def capacity(
    profile: ServiceProfile,
    settings: ServiceSettings,
    simulate: SimulateSettings,
    *,
    seed: int,
    workers: int = 1,
    elsewhere: tuple[str, ...] = (),
) -> Capacity:
    """What a service of this profile holds. workers: processes that simulate; elsewhere: what of it was not measured
    here, in words. Raises InputError where no part works.
    """
    cores = settings.cores or profile.origin.cores
    service = Service(profile, cores, settings.think_s, settings.target_s)
    setting = Setting(
        share=settings.share,
        hours=simulate.hours,
        warmup_hours=simulate.warmup_hours,
        design=Design(replications=simulate.replications, seed=seed, confidence=simulate.confidence, workers=workers),
    )
    held = most_users({TODAY: service, **levers(service)}, setting)
    people, low, high = _whole(held.today[USERS])
    near = {1, low, people, high, *(round(share * people) for share in AROUND)} if people else {*NONE_HELD, high}
    needed, sizes = _sizes(service, settings, simulate.people, setting)
    return Capacity(
        service,
        settings,
        simulate.people,
        held,
        _batches(service, setting),
        response([(service, users) for users in sorted(near - {0})], setting),
        needed,
        sizes.with_columns(
            cost_hour=pl.col("workers") * (settings.cost_core_hour + profile.memory_gib * settings.cost_gib_hour),
            holds=pl.col("within") >= settings.share,
        ),
        elsewhere,
    )


def levers(service: Service) -> dict[str, Service]:
    """What could be done, by name."""
    busy = dict(zip(service.profile.components, (service.cpu_s + service.waiting_s).mean(axis=0), strict=True))
    found = {_faster(part): replace(service, speed={part: FASTER}) for part, seconds in busy.items() if seconds > 0}
    found["one more core"] = replace(service, cores=service.cores + 1)
    if any(busy.get(part) for part in KNOWN):
        found[f"{percent(CACHED, digits=0)} of turns from the cache"] = replace(service, cached=CACHED)
    patient = PATIENT * service.target_s
    found[f"answers within {quantity(patient, 's', digits=2)}"] = replace(service, target_s=patient)
    # As many as the cores can work through within the target.
    limit = max(service.cores, int(service.cores * service.target_s / service.demand_s))
    found[f"turned away beyond {count(limit)}"] = replace(service, limit=limit)
    return found


def _batches(service: Service, setting: Setting) -> SideBySide | None:
    """The part that was measured in batches, in batches beside one by one; of several the one they save most of."""
    measured = {part: sizes for part, sizes in service.profile.batches.items() if 1 in sizes and max(sizes) > 1}
    if not measured:
        return None
    saved = {part: sizes[1] - sizes[max(sizes)] / max(sizes) for part, sizes in measured.items()}
    part = max(saved, key=saved.__getitem__)
    most = max(measured[part])
    single = replace(service, batched=part, most=1)
    name = f"{TITLES.get(part, part)} in batches of up to {most}"
    return most_users({TODAY: single, name: replace(single, most=most)}, setting)


def _sizes(
    service: Service, settings: ServiceSettings, people: int, setting: Setting
) -> tuple[Result | None, pl.DataFrame]:
    """What so many people need, and response times around it; around the load itself where nothing is enough."""
    enough = float((service.alone <= service.target_s).mean()) >= settings.share
    needed = fewest_workers(service, people, setting) if enough else None
    load = people * service.demand_s / (service.think_s + service.target_s)
    middle = needed[WORKERS].mean if needed else load
    sizes = sorted({max(1, round(share * middle)) for share in BESIDE} | {math.ceil(middle - 1e-9)})
    return needed, response([(replace(service, cores=size), people) for size in sizes], setting)


def _can(people: int) -> str:
    return f"{count(people)} {'person' if people == 1 else 'people'} can"


def _faster(part: str) -> str:
    return f"{TITLES.get(part, part)} twice as fast"


def _whole(ends: Interval) -> tuple[int, int, int]:
    """In whole people or workers: mean, low, high."""
    mean, low, high = (round(max(end, 0.0)) for end in (ends.mean, ends.low, ends.high))
    return mean, low, high
