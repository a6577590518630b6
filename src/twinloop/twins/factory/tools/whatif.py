"""Ask what another machine, a longer shift, a rush order or one order fewer would change.

Today's shop and the changed one are planned with the same budget and executed under the same breakdowns; differences
are paired. The problem is the factory's (`make repro` writes it) or a file of yours, as `plan` takes it; breakdowns are
then those of its sheet Machines, or of --mttf and --mttr.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinloop.errors import InputError
from twinloop.numbers import interval, number
from twinloop.progress import say

if TYPE_CHECKING:
    from twinloop.scheduling.execution.disruptions import Disruptions
    from twinloop.scheduling.execution.whatif import WhatIf
    from twinloop.scheduling.files.reading import Reading
    from twinloop.scheduling.problem import Job, JobShop
    from twinloop.scheduling.solution import Solution

LATE_SHOWN = 10
EXAMPLE = "python -m twinloop whatif --add-machine mill_1 --rush urgent:saw_1=30,mill_1=45:300"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    from twinloop.scheduling.files.options import file_arguments

    parser.add_argument("problem", type=Path, nargs="?", help="a shop (default: the factory's order book)")
    file_arguments(parser)
    parser.add_argument("--add-machine", action="append", default=[], metavar="LIKE", help="one more like this machine")
    parser.add_argument(
        "--shift", action="append", default=[], metavar="MACHINE:FROM-TO", help="open a machine, or `all`, meanwhile"
    )
    parser.add_argument(
        "--rush", action="append", default=[], metavar="NAME:MACHINE=MIN,…[:DUE]", help="one more job, its weight 5"
    )
    parser.add_argument("--cancel", action="append", default=[], metavar="JOB", help="one job fewer")
    parser.add_argument("--objective", choices=("weighted_tardiness", "makespan"), default="weighted_tardiness")
    parser.add_argument("--limit", type=float, default=2.0, metavar="S", help="CP-SAT's deterministic seconds per plan")
    parser.add_argument("--replications", type=int, default=100, help="executions of each plan (default: 100)")
    parser.add_argument(
        "--mttf", type=float, metavar="MIN", help="of every machine (default: as the file or the factory says)"
    )
    parser.add_argument("--mttr", type=float, default=60.0, metavar="MIN", help="mean repair time, with --mttf")
    parser.add_argument(
        "--cv", type=float, help="spread of durations over their mean (default: the factory's, of a file 0)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(options: argparse.Namespace, root: Path) -> int:
    """Plan, execute, compare and print. Raises InputError for a change that does not fit the shop."""
    from twinloop.scheduling.execution.whatif import what_if
    from twinloop.scheduling.files.options import say_read

    reading = _reading(options, root)
    shop = reading.shop
    changed, like = _changed(shop, options)
    disruptions = _disruptions(reading, options, root)
    calm = not (disruptions.breakdowns or disruptions.rework or disruptions.duration_cv)
    comparison = what_if(
        shop,
        changed,
        _planner(options),
        disruptions,
        like=like,
        seed=options.seed,
        replications=options.replications,
    )
    if options.problem is not None:
        say_read(options.problem, reading)
    if calm:
        say("whatif: no breakdowns and no spread are known, plans run as planned: give --mttf, --mttr, --cv")
    for name, solution in (("today", comparison.today), ("changed", comparison.changed)):
        if solution.plan is None:
            say(f"whatif: {name}: {solution.status}: {solution.reason}")
    late = _late(shop, changed, comparison, reading)
    if options.json:
        print(json.dumps({**_record(comparison), "late": late}, ensure_ascii=False, allow_nan=False))
    else:
        print("\n".join([_table(comparison, reading), *_late_lines(late, reading)]))
    return 0 if comparison.frame is not None else 1


def _reading(options: argparse.Namespace, root: Path) -> "Reading":
    from twinloop.scheduling.files.options import read_asked
    from twinloop.twins.factory import paths

    path = options.problem
    if path is None:
        path = root / paths.SCHEDULE / "problem.json"
        if not path.is_file():
            raise InputError(f"whatif: {path}: no such file: run `make repro` first, or name a file with a shop")
    return read_asked(path, options)


def _changed(shop: "JobShop", options: argparse.Namespace) -> tuple["JobShop", dict[str, str]]:
    from twinloop.scheduling.execution.whatif import with_job, with_machine, with_shift, without_job

    if not (options.add_machine or options.shift or options.rush or options.cancel):
        raise InputError("whatif: nothing is changed: give --add-machine, --shift, --rush or --cancel")
    like: dict[str, str] = {}
    for old in options.add_machine:
        name = next(name for k in range(2, 10_000) if (name := f"{old}_{k}") not in shop.machines)
        shop, like[name] = with_machine(shop, name, like=old), old
    for text in options.shift:
        machine, start, end = _shift(text)
        shop = with_shift(shop, start, end, machine=None if machine == "all" else machine)
    for text in options.rush:
        shop = with_job(shop, _job(text))
    for name in options.cancel:
        shop = without_job(shop, name)
    return shop, like


def _shift(text: str) -> tuple[str, int, int]:
    machine, _, hours = text.rpartition(":")
    start, _, end = hours.partition("-")
    if not (machine and start.isdecimal() and end.isdecimal()):
        raise InputError(f"whatif: --shift {text}: expected MACHINE:FROM-TO in whole minutes, like mill:480-960")
    return machine, int(start), int(end)


def _job(text: str) -> "Job":
    from twinloop.scheduling.problem import Job, Operation

    name, *rest = text.split(":")
    steps = [step.partition("=") for step in (rest[0].split(",") if rest else [])]
    fits = name and 1 <= len(rest) <= 2 and all(step[0] and step[2].isdecimal() for step in steps)
    if not fits or (len(rest) == 2 and not rest[1].isdecimal()):
        raise InputError(f"whatif: --rush {text}: expected NAME:MACHINE=MIN,…[:DUE], like urgent:saw=30,mill=45:300")
    operations = tuple(Operation(machine, int(minutes)) for machine, _, minutes in steps)
    return Job(name, operations, due=int(rest[1]) if len(rest) == 2 else None, weight=5)


def _disruptions(reading: "Reading", options: argparse.Namespace, root: Path) -> "Disruptions":
    from twinloop.config import parse
    from twinloop.config.compose import read_params
    from twinloop.scheduling.execution.disruptions import Disruptions
    from twinloop.scheduling.problem.settings import ShopSettings

    known = Disruptions(reading.breakdowns)
    if options.problem is None:
        known = Disruptions.of(parse(ShopSettings, read_params(root)["factory"]["shop"]))
    if options.mttf is not None:
        known = replace(known, breakdowns=dict.fromkeys(reading.shop.machines, (options.mttf, options.mttr)))
    return known if options.cv is None else replace(known, duration_cv=options.cv)


def _planner(options: argparse.Namespace) -> "Callable[[JobShop], Solution]":
    from twinloop.scheduling.planning import solve
    from twinloop.scheduling.settings import ScheduleSettings

    if not options.limit > 0:
        raise InputError(f"whatif: --limit {options.limit:g}: expected more than 0 seconds")
    settings = ScheduleSettings(objective=options.objective, deterministic_limit=options.limit)
    return lambda shop: solve(shop, settings, seed=options.seed)


def _record(comparison: "WhatIf") -> dict[str, Any]:
    solutions = {
        name: {"status": s.status, "objective": s.objective, "bound": s.bound, "reason": s.reason}
        for name, s in (("today", comparison.today), ("changed", comparison.changed))
    }
    return {**solutions, "figures": [] if comparison.frame is None else comparison.frame.to_dicts()}


def _late(shop: "JobShop", changed: "JobShop", comparison: "WhatIf", reading: "Reading") -> dict[str, dict[str, Any]]:
    """By job that is late in either plan: its due date and its lateness in both (None: not in that shop)."""
    if comparison.frame is None:
        return {}
    from twinloop.scheduling.objectives import job_ends

    ends = [job_ends(s.plan) for s in (comparison.today, comparison.changed) if s.plan is not None]
    rows = {}
    for name, job in {**changed.by_name, **shop.by_name}.items():
        if job.due is not None:
            before, after = (max(0, by_job[name] - job.due) if name in by_job else None for by_job in ends)
            if before or after:
                rows[name] = {"due": job.due, "today": before, "changed": after}
    return rows


def _late_lines(late: dict[str, dict[str, Any]], reading: "Reading") -> list[str]:
    """The late jobs of both plans; what the change makes late or saves comes first."""
    say_long, when = reading.say.long, reading.say.when
    lines = list[str]()
    by_difference = sorted(late.items(), key=lambda row: -abs((row[1]["changed"] or 0) - (row[1]["today"] or 0)))
    for name, row in by_difference[:LATE_SHOWN]:
        before, after = (
            "not in the shop" if row[key] is None else f"{say_long(row[key])} late" if row[key] else "on time"
            for key in ("today", "changed")
        )
        lines.append(f"late: {name}, due {when(row['due'])}: {before}" + (f" → {after}" if before != after else ""))
    if len(late) > LATE_SHOWN:
        lines.append(f"late: {len(late) - LATE_SHOWN} more (--json has all)")
    return lines or ["late: no job in either plan"]


def _table(comparison: "WhatIf", reading: "Reading") -> str:
    if comparison.frame is None or comparison.today.plan is None or comparison.changed.plan is None:
        return "no comparison: at least one of the shops has no plan"
    units = "times in minutes" if reading.minutes else "times in the file's units"
    lines = [f"{units:<30} {'today':>10} {'changed':>10}   difference (95 % interval)"]
    for row in comparison.frame.iter_rows(named=True):
        name = row["figure"].replace("_", " ")
        limits = row["difference_low"], row["difference_high"]
        ends = "" if limits[0] is None else f" ({interval(*limits, sign=True)})"
        difference = f"{number(row['difference'], sign=True)}{ends}"
        lines.append(f"{name:<30} {number(row['today']):>10} {number(row['changed']):>10}   {difference}")
    if reading.clock is not None:
        moments = (reading.clock.show(s.plan.makespan) for s in (comparison.today, comparison.changed) if s.plan)
        lines.append(f"planned end: {' → '.join(moments)}")
    return "\n".join(lines)
