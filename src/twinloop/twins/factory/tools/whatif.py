"""Ask what another machine, a longer shift, a rush order or one order fewer would change.

Today's shop and the changed one are planned with the same budget and executed under the same breakdowns; differences
are paired. The problem is the factory's (`make repro` writes it) or a file of yours, as `plan` takes it; breakdowns are
then those of its sheet Machines, or of --mttf and --mttr. Times are dates where a start is given (2026-12-01T14:00, or
2026-12-01 for its end), lengths (1:30, 90 min, 2 h), or whole minutes.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinloop.errors import InputError
from twinloop.numbers import MINUS, count, interval, number
from twinloop.progress import say

if TYPE_CHECKING:
    import polars as pl

    from twinloop.scheduling.execution.disruptions import Disruptions
    from twinloop.scheduling.execution.whatif import WhatIf
    from twinloop.scheduling.files.reading import Reading
    from twinloop.scheduling.files.typed import Typed
    from twinloop.scheduling.problem import Job, JobShop
    from twinloop.scheduling.solution import Solution

LATE_SHOWN = 10
EXAMPLE = "python -m twinloop whatif --add-machine mill_1 --rush urgent:saw_1=30,mill_1=1:30@300"
RUSHED = "NAME:MACHINE=LENGTH,…[@DUE]"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    from twinloop.scheduling.files.options import file_arguments

    parser.add_argument("problem", type=Path, nargs="?", help="a shop (default: the factory's order book)")
    file_arguments(parser)
    parser.add_argument("--add-machine", action="append", default=[], metavar="LIKE", help="one more like this machine")
    parser.add_argument(
        "--shift", action="append", default=[], metavar="MACHINE:FROM..TO", help="open a machine, or `all`, meanwhile"
    )
    parser.add_argument("--rush", action="append", default=[], metavar=RUSHED, help="one more job, its weight 5")
    parser.add_argument("--cancel", action="append", default=[], metavar="JOB", help="one job fewer")
    parser.add_argument("--objective", choices=("weighted_tardiness", "makespan"), default="weighted_tardiness")
    parser.add_argument("--limit", type=float, default=2.0, metavar="S", help="CP-SAT's deterministic seconds per plan")
    parser.add_argument("--replications", type=int, default=100, help="executions of each plan (default: 100)")
    parser.add_argument(
        "--mttf", metavar="LENGTH", help="of every machine, like 40 h (default: as the file or the factory says)"
    )
    parser.add_argument("--mttr", metavar="LENGTH", help="mean repair time, with --mttf (default: 60 min)")
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
    changed, like = _changed(reading, options)
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
    gone = _left_out(shop, changed, comparison)
    if options.json:
        record = {**_record(comparison), "late": late, **({"left_out": gone} if gone else {})}
        print(json.dumps(record, ensure_ascii=False, allow_nan=False))
    else:
        print("\n".join([_table(comparison, reading), *_late_lines(late, reading), *_left_out_lines(gone)]))
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


def _changed(reading: "Reading", options: argparse.Namespace) -> tuple["JobShop", dict[str, str]]:
    from twinloop.scheduling.execution.whatif import with_job, with_machine, with_shift, without_job
    from twinloop.scheduling.files.typed import Typed

    shop, typed, words = reading.shop, Typed(reading.clock, reading.minutes), reading.say

    if not (options.add_machine or options.shift or options.rush or options.cancel):
        raise InputError("whatif: nothing is changed: give --add-machine, --shift, --rush or --cancel")
    like: dict[str, str] = {}
    for old in options.add_machine:
        name = next(name for k in range(2, 10_000) if (name := f"{old}_{k}") not in shop.machines)
        shop, like[name] = with_machine(shop, name, like=old), old
    for text in options.shift:
        machine, start, end = _shift(text, shop.machines, typed)
        shop = with_shift(shop, start, end, machine=None if machine == "all" else machine, say=words)
        say(f"shift      {machine} is open {words.when(start)} … {words.when(end)}")
    for text in options.rush:
        job = _job(text, typed)
        shop = with_job(shop, job)
        steps = ", ".join(f"{o.machine} {words.long(o.duration)}" for o in job.operations)
        say(f"rush       {job.name}: {steps}{'' if job.due is None else f', due {words.until(job.due)}'}")
    for name in options.cancel:
        shop = without_job(shop, name)
    return shop, like


def _shift(text: str, machines: Sequence[str], typed: "Typed") -> tuple[str, int, int]:
    # A machine's name may have a colon, as times have.
    named = [name for name in (*machines, "all") if text.startswith(f"{name}:")]
    machine = max(named, key=len, default=text.partition(":")[0])
    span = text[len(machine) + 1 :]
    if not (machine and span):
        raise InputError(f"whatif: --shift {text}: expected MACHINE:FROM..TO, like mill:480..960")
    return machine, *typed.span(span, f"whatif: --shift {text}")


def _job(text: str, typed: "Typed") -> "Job":
    from twinloop.scheduling.problem import Job, Operation

    where = f"whatif: --rush {text}"
    name, _, rest = text.partition(":")
    route, at, due = rest.partition("@")
    steps = [step.rpartition("=") for step in route.split(",")]
    if not (name and all(machine and length for machine, _, length in steps) and bool(at) == bool(due)):
        raise InputError(f"{where}: expected {RUSHED}, like urgent:saw=30,mill=1:30@300")
    operations = tuple(Operation(machine.strip(), typed.length(length.strip(), where)) for machine, _, length in steps)
    return Job(name, operations, due=typed.instant(due.strip(), where, last=True) if due else None, weight=5)


def _disruptions(reading: "Reading", options: argparse.Namespace, root: Path) -> "Disruptions":
    from twinloop.config import parse
    from twinloop.config.compose import read_params
    from twinloop.scheduling.execution.disruptions import Disruptions
    from twinloop.scheduling.files.typed import Typed
    from twinloop.scheduling.problem.settings import ShopSettings

    known = Disruptions(reading.breakdowns)
    if options.problem is None:
        known = Disruptions.of(parse(ShopSettings, read_params(root)["factory"]["shop"]))
    if options.mttf is not None:
        typed = Typed(reading.clock, reading.minutes)
        means = typed.length(options.mttf, "whatif: --mttf"), typed.length(options.mttr or "60", "whatif: --mttr")
        known = replace(known, breakdowns=dict.fromkeys(reading.shop.machines, means))
    elif options.mttr is not None:
        raise InputError("whatif: --mttr without --mttf: give both")
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


def _left_out(shop: "JobShop", changed: "JobShop", comparison: "WhatIf") -> dict[str, dict[str, Any]]:
    """By job that one of the plans leaves out: its price, and whether it is left out in each."""
    plans = ((shop, comparison.today.plan), (changed, comparison.changed.plan))
    gone = [() if plan is None else one.left_out(plan) for one, plan in plans]
    jobs = {**changed.by_name, **shop.by_name}
    return {
        name: {"price": jobs[name].price, "today": name in gone[0], "changed": name in gone[1]}
        for name in dict.fromkeys((*gone[0], *gone[1]))
    }


def _left_out_lines(gone: dict[str, dict[str, Any]]) -> list[str]:
    words = {(True, True): "in both plans", (True, False): "today, done then", (False, True): "then, not today"}
    return [
        f"left out: {name} at a price of {count(row['price'])}: {words[row['today'], row['changed']]}"
        for name, row in gone.items()
    ]


def _late_lines(late: dict[str, dict[str, Any]], reading: "Reading") -> list[str]:
    """The late jobs of both plans; what the change makes late or saves comes first."""
    say_long = reading.say.long
    lines = list[str]()
    by_difference = sorted(late.items(), key=lambda row: -abs((row[1]["changed"] or 0) - (row[1]["today"] or 0)))
    for name, row in by_difference[:LATE_SHOWN]:
        before, after = (
            "not in the shop" if row[key] is None else f"{say_long(row[key])} late" if row[key] else "on time"
            for key in ("today", "changed")
        )
        lines.append(
            f"late: {name}, due {reading.say.until(row['due'])}: {before}" + (f" → {after}" if before != after else "")
        )
    if len(late) > LATE_SHOWN:
        lines.append(f"late: {len(late) - LATE_SHOWN} more (--json has all)")
    return lines or ["late: no job in either plan"]


def _table(comparison: "WhatIf", reading: "Reading") -> str:
    if comparison.frame is None or comparison.today.plan is None or comparison.changed.plan is None:
        return "no comparison: at least one of the shops has no plan"
    said = _dated if reading.clock is not None else _numbered
    heads = "times" if reading.clock else "times in minutes" if reading.minutes else "times in the file's units"
    rows = [(heads, "today", "changed", "difference (95 % interval)"), *said(comparison.frame, reading)]
    widths = [max(30, *(len(row[0]) for row in rows)), *(max(10, *(len(row[k]) for row in rows)) for k in (1, 2))]
    return "\n".join(
        f"{name:<{widths[0]}} {today:>{widths[1]}} {changed:>{widths[2]}}   {difference}"
        for name, today, changed, difference in rows
    )


def _priced(row: dict[str, Any]) -> tuple[str, str, str, str]:
    """What is left out, in whole prices."""
    sign = "+" if row["difference"] > 0 else MINUS if row["difference"] < 0 else ""
    return row["figure"], count(row["today"]), count(row["changed"]), f"{sign}{count(abs(row['difference']))}"


def _numbered(frame: "pl.DataFrame", reading: "Reading") -> Iterator[tuple[str, str, str, str]]:
    """The rows in the shop's units."""
    for row in frame.iter_rows(named=True):
        if "price" in row["figure"]:
            yield _priced(row)
            continue
        limits = row["difference_low"], row["difference_high"]
        ends = "" if limits[0] is None else f" ({interval(*limits, sign=True)})"
        difference = f"{number(row['difference'], sign=True)}{ends}"
        yield row["figure"].replace("_", " "), number(row["today"]), number(row["changed"]), difference


def _dated(frame: "pl.DataFrame", reading: "Reading") -> Iterator[tuple[str, str, str, str]]:
    """The rows with ends as dates, lateness and differences as lengths."""
    words = reading.say

    def signed(minutes: float) -> str:
        rounded = round(minutes)
        return f"{'+' if rounded > 0 else MINUS if rounded < 0 else ''}{words.long(abs(rounded))}"

    for row in frame.iter_rows(named=True):
        name = row["figure"].replace("_", " ")
        if "price" in name:
            yield _priced(row)
            continue
        one = words.long if "tardiness" in name else words.when
        low, high = row["difference_low"], row["difference_high"]
        ends = "" if low is None else f" ({signed(low)} … {signed(high)})"
        today, changed = (one(round(row[key])) for key in ("today", "changed"))
        yield name.replace("makespan", "end of all"), today, changed, f"{signed(row['difference'])}{ends}"
