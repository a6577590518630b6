"""Show a line as it was at any minute of its event log, and its key figures until then.

The log is a simulated line's or a real plant's in the same schema (Parquet or CSV: time_min or timestamp, event,
entity, part, and condition and value where they are known). The state comes from the log alone. Key figures in euro
(--json) use the factory's prices, with --line the default ones.
"""

import argparse
import json
from pathlib import Path

from twinloop.errors import RunError
from twinloop.numbers import fixed
from twinloop.progress import say

EXAMPLE = "python -m twinloop replay data/factory/simulation/events.parquet --at 300"
SHOWN = ("throughput_per_day", "oee", "availability", "performance", "quality", "wip", "cycle_time_min")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("log", type=Path, help="an event log, Parquet or CSV")
    parser.add_argument("--at", type=float, metavar="MINUTE", help="before what happens then (default: the log's end)")
    parser.add_argument(
        "--line", type=Path, help="the YAML of the line that the log is of (default: the factory's in params.yaml)"
    )
    parser.add_argument("--json", action="store_true", help="print the whole state and all key figures as JSON")


def run(options: argparse.Namespace, root: Path) -> int:
    """Rebuild and print."""
    from twinloop.config import parse
    from twinloop.config.compose import read_params
    from twinloop.simulation.events.kpi import KPIS, kpis
    from twinloop.simulation.events.log import EventLog
    from twinloop.simulation.events.mirror import replay
    from twinloop.simulation.model.economy import Economy
    from twinloop.simulation.model.line import Line

    if options.line:
        line, economy = Line.from_yaml(options.line), Economy()
    else:
        factory = read_params(root)["factory"]
        line, economy = parse(Line, factory["line"]), parse(Economy, factory["economy"])
    log = EventLog.load(options.log, line=line)
    for note in log.notes:
        say(f"replay: {options.log}: {note}")
    state = replay(log, line, at=options.at)
    try:
        figures = kpis(log.until(state.clock_min) if options.at is not None else log, line, economy, start=0.0)[0]
    except RunError:
        say(f"replay: no part has left {line.name} by minute {state.clock_min:g}: there are no key figures yet")
        figures = {}
    if options.json:
        print(json.dumps({"state": state.record(), "kpis": figures}, ensure_ascii=False, allow_nan=False))
        return 0
    print(state)
    for kpi in SHOWN if figures else ():
        title, unit, *_ = KPIS[kpi]
        print(f"{title:<20} {fixed(figures[kpi], 3 if not unit else 1)} {unit}".rstrip())
    return 0
