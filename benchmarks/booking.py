"""A workshop's book of 2 000 vehicles: days under capacity with their bound, a move, and all visits in bays.

`python benchmarks/booking.py --json` prints one JSON object. Vehicles have one to three worn components of three
skills, the workshop time for about half of them within ten days. The gap is the plan's cost above its proved bound, of
the rounded relaxation and after a search. Visits are one operation each, with one of 28 bays, a technician by skill,
opening hours and parts with deliveries. What numba compiles is loaded before anything is timed.
"""

import argparse
import json
import time
from typing import Any

import numpy as np

from twinloop.scheduling.booking.bookings import Bookings
from twinloop.scheduling.booking.days import book
from twinloop.scheduling.booking.slots import Candidate, Task, Workshop
from twinloop.scheduling.booking.visits import Garage, Visit
from twinloop.scheduling.problem import Window
from twinloop.scheduling.problem.resources import Material
from twinloop.scheduling.question import Limit

SKILLS = ("engine", "brakes", "electric")
DAYS, DAY_MIN, OPEN_MIN = 10, 1440, 480


def main() -> None:
    """Measure and print."""
    chosen = options()
    figures = rebooking(chosen) | moving(chosen) | visiting(chosen)
    print(json.dumps(figures, indent=None if chosen.json else 2))


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """What is asked for on the command line, or in these arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON on one line")
    parser.add_argument("--vehicles", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=4.0, help="of the search behind the rounded relaxation")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def rebooking(options: argparse.Namespace) -> dict[str, Any]:
    """The whole book planned anew."""
    candidates, workshop = a_book(options.vehicles, options.seed)
    clock = time.perf_counter()
    plan = book(candidates, workshop, limit=None)
    spent = time.perf_counter() - clock
    clock = time.perf_counter()
    searched = book(candidates, workshop, limit=Limit(seconds=options.seconds), seed=options.seed)
    return {
        "rebook_2000_s": round(spent, 2),
        "rebook_2000_gap": round(plan.gap, 5),
        "rebook_2000_searched_s": round(time.perf_counter() - clock, 2),
        "rebook_2000_searched_gap": round(searched.gap, 5),
        "rebook_2000_visits": len(plan.visits),
    }


def moving(options: argparse.Namespace) -> dict[str, Any]:
    """One vehicle moved by hand, all others planned again around it."""
    candidates, workshop = a_book(options.vehicles, options.seed)
    bookings = Bookings.of(candidates, workshop, limit=None)
    asset, (day, _) = next(iter(bookings.plan.visits.items()))
    clock = time.perf_counter()
    change = bookings.move(asset, to=(day + 1) % DAYS)
    return {"move_2000_s": round(time.perf_counter() - clock, 2), "move_2000_others": len(change.moved) - 1}


def visiting(options: argparse.Namespace) -> dict[str, Any]:
    """2 000 visits in bays, two hundred a day."""
    rng = np.random.default_rng(options.seed)
    closed = tuple(Window(day * DAY_MIN + OPEN_MIN, (day + 1) * DAY_MIN) for day in range(DAYS))
    technicians = {f"{skill} {number}": (skill,) for skill in SKILLS for number in range(14)}
    parts = tuple(Material(f"part {k}", 100, tuple((day * DAY_MIN, 60) for day in range(1, DAYS))) for k in range(3))
    garage = Garage(tuple(f"bay {k}" for k in range(1, 29)), technicians, closed, parts)
    garage.shop([Visit("warm", {SKILLS[0]: 30}, 0, OPEN_MIN)]).solve("late_jobs", method="EDD", iterations=1)
    visits = []
    for number in range(options.vehicles):
        day = number % DAYS
        skills = [SKILLS[k] for k in sorted(rng.choice(3, size=int(rng.integers(1, 3)), replace=False))]
        minutes = {skill: int(rng.integers(1, 6)) * 15 for skill in skills}
        wanted = {f"part {int(rng.integers(3))}": 1} if rng.random() < 0.3 else {}
        begin = day * DAY_MIN
        visits.append(Visit(f"V{number}", minutes, begin, begin + OPEN_MIN, wanted))
    clock = time.perf_counter()
    shop = garage.shop(visits)
    described = time.perf_counter() - clock
    clock = time.perf_counter()
    solution = shop.solve("late_jobs", "completion", method="EDD", seed=options.seed, iterations=1)
    spent = time.perf_counter() - clock
    values = solution.values if solution.plan is not None else None
    return {
        "visits_2000_s": round(described + spent, 2),
        "visits_2000_late": None if values is None else int(values[0]),
    }


def a_book(vehicles: int, seed: int) -> tuple[list[Candidate], Workshop]:
    """Vehicles whose components fail by constant hazards, and a workshop with time for about half of them."""
    rng = np.random.default_rng(seed)
    candidates, needed = [], 0
    for number in range(vehicles):
        tasks = []
        for component in range(int(rng.integers(1, 4))):
            failing = 1 - np.exp(-rng.gamma(1.0, 0.04) * np.arange(DAYS + 1))
            cost = failing[:-1] * 1000 + (1 - failing[:-1]) * 120
            minutes = int(rng.integers(2, 9)) * 15
            needed += minutes
            tasks.append(
                Task(f"c{component}", SKILLS[rng.integers(3)], minutes, tuple(cost), float(failing[-1] * 1000))
            )
        candidates.append(Candidate(f"V{number}", tuple(tasks), visit_cost=40.0))
    bays = needed // (4 * DAYS)
    return candidates, Workshop(dict.fromkeys(SKILLS, (bays // 2,) * DAYS), (bays,) * DAYS)


if __name__ == "__main__":
    main()
