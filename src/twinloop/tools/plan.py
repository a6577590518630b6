"""Plan an order book: what is late and what held it, the load of machines, a Gantt chart; as page, sheet and calendar.

The file is a workbook (sheets Orders, Machines, Calendar), a folder of such tables, a CSV, the project's JSON, or an
instance in a text format; what it was taken for is said. --example writes a small order book to begin with.
"""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from twinloop.errors import InputError
from twinloop.numbers import count, percent
from twinloop.progress import say

if TYPE_CHECKING:
    from twinloop.scheduling.report import PlanReport

EXAMPLE = "python -m twinloop plan orders.xlsx --start 2026-12-01T06:00+01:00"
WRITTEN = ("html", "xlsx", "csv", "ics", "json")
LINKS_SHOWN = 3
SEED = 1


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    from twinloop.scheduling.files.options import file_arguments

    parser.add_argument("file", type=Path, help="orders, with machines and calendars where they are known")
    file_arguments(parser)
    parser.add_argument("--objective", choices=("weighted_tardiness", "makespan"), default="weighted_tardiness")
    parser.add_argument("--limit", type=float, default=4.0, metavar="S", help="CP-SAT's deterministic seconds")
    parser.add_argument(
        "--out",
        type=Path,
        action="append",
        metavar="PATH",
        help="a file (.html .xlsx .csv .ics .json) or a folder for all of them (default: FILE_plan beside the file)",
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--example", action="store_true", help="write a small order book to FILE (.xlsx) and stop")


def run(options: argparse.Namespace, root: Path) -> int:
    """Read, plan, print and write. Exit status 1 where there is no plan."""
    if options.example:
        return _write_example(options.file)
    from twinloop.scheduling.files.options import read_asked, say_read
    from twinloop.scheduling.planning import solve
    from twinloop.scheduling.report import PlanReport, check_ending
    from twinloop.scheduling.settings import ScheduleSettings

    if not options.limit > 0:
        raise InputError(f"plan: --limit {options.limit:g}: expected more than 0 seconds")
    targets = options.out or [options.file.with_name(f"{options.file.stem}_plan")]
    for path in targets:
        if path.suffix and not path.is_dir():
            check_ending(path)
    reading = read_asked(options.file, options)
    say_read(options.file, reading)
    settings = ScheduleSettings(objective=options.objective, deterministic_limit=options.limit)
    solution = solve(reading.shop, settings, seed=SEED)
    if solution.plan is None:
        say(f"plan: {solution.status}: {solution.reason}")
        return 1
    report = PlanReport(options.file.name, reading, solution, datetime.now(UTC))
    if options.json:
        print(json.dumps(report.record(), ensure_ascii=False, allow_nan=False))
    else:
        print("\n".join(_lines(report)))
    for path in targets:
        _write(report, path)
    return 0


def _lines(report: "PlanReport") -> list[str]:
    solution, words = report.solution, report.reading.say
    gain = f", at most {percent(solution.gap)} to gain" if solution.gap and solution.status == "feasible" else ""
    lines = [f"plan       {report.headline}   ({solution.status}{gain})"]
    for one in report.late:
        more = f" (and {len(one.chain) - LINKS_SHOWN} before)" if len(one.chain) > LINKS_SHOWN else ""
        lines += [
            f"late       {one.job} by {words.long(one.late)}: due {words.until(one.due)}, ends {words.when(one.end)}",
            *(f"             {link}" for link in one.chain[:LINKS_SHOWN]),
        ]
        lines[-1] += more
    for gone in report.left_out:
        lines.append(f"left out   {gone.job} for a price of {count(gone.price)}: {gone.reason}")
    width = max(len(name) for name in report.shop.machines)
    for row in report.load.iter_rows(named=True):
        spent = ", ".join(f"{name} {words.long(row[name])}" for name in ("work", "setup", "closed") if row[name])
        lines.append(f"load       {row['machine']:<{width}}  {percent(row['busy']):>8}   {spent}")
    return lines


def _write(report: "PlanReport", path: Path) -> None:
    paths = [path] if path.suffix and not path.is_dir() else [path / f"plan.{ending}" for ending in WRITTEN]
    if len(paths) > 1 and report.clock is None:
        paths = [one for one in paths if one.suffix != ".ics"]
        say("plan: no calendar (plan.ics) without dates: give --start")
    for one in paths:
        report.save(one)
    say(f"wrote      {', '.join(str(one) for one in paths)}")


def _write_example(path: Path) -> int:
    from twinloop.scheduling.files.example import write_example

    if path.suffix.lower() != ".xlsx":
        raise InputError(f"plan: --example {path}: expected a file name that ends in .xlsx")
    if path.exists():
        raise InputError(f"plan: --example {path}: is there already: name a new file")
    write_example(path)
    say(f"wrote      {path}: plan it with --start 2026-12-01T06:00+01:00")
    return 0
