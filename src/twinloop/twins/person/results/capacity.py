"""How many people it holds at once and what would make that more, for the first page and the page on capacity."""

from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from twinloop.contracts import ServiceProfile
from twinloop.numbers import MISSING, Interval, count, interval, number, percent, quantity
from twinloop.reporting.results import estimate
from twinloop.reporting.tables import Table
from twinloop.twins.person import paths
from twinloop.twins.person.load.capacity import TITLES
from twinloop.twins.person.results.base import PersonOutputs, shown

# Turns of conversations that are shown.
SHOWN = 8


class Capacity(PersonOutputs):
    """What evaluate measured of turns, and what simulate made of it."""

    @cached_property
    def profile(self) -> ServiceProfile:
        """The turns that were simulated: this run's, or those of a profile that was pinned."""
        return ServiceProfile.load(self.path(paths.SIMULATION / "profile.parquet"))

    @property
    def held(self) -> Interval:
        """People at once."""
        return estimate(self.answer, "users")

    def answer_table(self) -> Table:
        """The answer as one sentence, in a table of one row."""
        return Table.of(("the answer",), [(self.answer["sentence"],)])

    def transcript(self) -> Table:
        """The first turns of a conversation: what was heard, what is said, on which grounds."""
        turns = self.evaluation("transcript")
        first = turns.filter(pl.col("conversation") == pl.col("conversation").first()).head(SHOWN)
        rows = [
            (
                count(row["turn"] + 1),
                "spoken" if row["spoken"] else "typed",
                row["heard"],
                row["said"],
                "; ".join(row["citations"]) or MISSING,
            )
            for row in first.iter_rows(named=True)
        ]
        headers = ("turn", "asked", "as it was understood", "reply", "grounds")
        return Table.of(headers, rows or [("none", "", "", "", "")], numeric=(0,))

    def parts(self) -> dict[str, Any]:
        """Arguments of `figures.capacity.parts`."""
        cpu, waiting = self.profile.cpu_s(), self.profile.waiting_s()
        seconds = pl.DataFrame(
            {
                "part": list(self.profile.components),
                "cpu_s": cpu.mean(axis=0),
                "waiting_s": waiting.mean(axis=0),
                "p95_s": np.quantile(cpu + waiting, 0.95, axis=0),
            }
        )
        return {"seconds": seconds, "names": [TITLES.get(part, part) for part in self.profile.components]}

    def measured_turns(self) -> Table:
        """What was measured, on what and with what."""
        profile, answer = self.profile, self.answer
        alone = (profile.cpu_s() + profile.waiting_s()).sum(axis=1)
        rows = [
            ("turns measured", f"{count(len(profile))}, {count(float(profile.turns['cached'].sum()))} from the cache"),
            ("a turn alone", f"{quantity(alone.mean(), 's')}, p95 {quantity(float(np.quantile(alone, 0.95)), 's')}"),
            ("memory of a worker", quantity(profile.memory_gib, "GiB")),
            ("measured on", answer["machine"]),
            ("measured elsewhere", "; ".join(answer["measured_elsewhere"]) or "no"),
        ]
        return Table.of(("", "this report"), rows)

    def response(self) -> dict[str, Any]:
        """Arguments of `figures.capacity.response_times`."""
        return {"users": self.simulation("users"), "target_s": self.answer["target_s"], "held": self.held}

    def holds(self) -> Table:
        """People at once, and what they meet."""
        found = self.metrics("simulate")
        rows = [
            ("people at once", shown(self.held)),
            ("of each core", shown(self.measured("simulate", "users_per_core"))),
            ("95th percentile of a turn then", f"{shown(self.measured('simulate', 'turn_p95_s'))} s"),
            ("cores busy then", percent(found["core_utilisation"])),
            ("cost of each an hour", quantity(found["cost_per_user_hour"], self.answer["currency"])),
        ]
        return Table.of(("", f"{count(self.answer['cores'])} cores"), rows, caption="In brackets 95 % intervals.")

    @cached_property
    def _levers(self) -> pl.DataFrame:
        return self.simulation("levers").sort("gain", "lever", descending=[True, False])

    def gains(self) -> dict[str, Any]:
        """Arguments of `figures.capacity.levers`."""
        return {"gains": {row["lever"]: estimate(row, "gain") for row in self._levers.iter_rows(named=True)}}

    def levers(self) -> Table:
        """What each change makes of the number of people, and how sure that is."""
        rows = [
            (
                row["lever"],
                number(row["users"]),
                interval(row["low"], row["high"]),
                number(gain.mean, sign=True),
                interval(gain.low, gain.high, sign=True),
                "more" if gain.low > 0 else "fewer" if gain.high < 0 else "not sure",
            )
            for row in self._levers.iter_rows(named=True)
            for gain in [estimate(row, "gain")]
        ]
        headers = ("change", "people", "95 % interval", "gain", "95 % interval", "how sure")
        caption = (
            f"People at once against {number(self.held.mean)} today; gains are paired, and their intervals hold at "
            "once. Batches are compared with the same part one by one, each taking what one of its size took."
        )
        return Table.of(headers, rows, caption=caption, numeric=(1, 2, 3, 4), emphasis=(0,))

    def workers(self) -> dict[str, Any]:
        """Arguments of `figures.capacity.workers`."""
        answer = self.answer
        return {
            "sizes": self.simulation("workers"),
            "target_s": answer["target_s"],
            "people": answer["people"],
            "currency": answer["currency"],
        }

    def sizes(self) -> Table:
        """What so many people need."""
        found, currency = self.metrics("simulate"), self.answer["currency"]
        needed = self.measured("simulate", "workers_for_people")
        none = "no number is enough: a turn alone takes longer than the target"
        rows = [
            ("people at once", count(self.answer["people"])),
            ("workers", none if needed is None else shown(needed)),
            ("a worker is", f"a core and {quantity(self.profile.memory_gib, 'GiB')}"),
            ("a worker costs", quantity(self.answer["cost_worker_hour"], f"{currency}/h")),
            ("all cost", quantity(found["cost_for_people_hour"], f"{currency}/h")),
        ]
        return Table.of(("", "for many"), rows, caption="In brackets 95 % intervals.")
