"""Say who may fail soon, why, and when the workshop sees to it.

Without a name the likeliest failures of all vehicles in service, with one all of its components: probability within the
horizon and what the members say, how long it has left, what speaks for a failure, and the day that is booked. All that
`fleet evaluate` and `fleet schedule` left; the book may be missing.
"""

import argparse
import json
from pathlib import Path

from twinloop.errors import InputError

EXAMPLE = "python -m twinloop risk VEH007 --json"
MOST = 15


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("asset", nargs="?", help="a vehicle (default: whichever are likeliest to fail)")
    parser.add_argument("--component", help="of this component only")
    parser.add_argument("--most", type=int, default=MOST, help=f"rows at most (default: {MOST})")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(options: argparse.Namespace, root: Path) -> int:
    """Print the table. Raises InputError for an unknown vehicle or component, and before `fleet evaluate` has run."""
    from twinloop.twins.fleet.results.due import Due

    if options.most < 1:
        raise InputError(f"risk: --most {options.most}: expected a number of at least 1")
    due = Due(root)
    rows = due.rows(asset=options.asset, component=options.component)
    rows = rows if options.asset else rows[: options.most]
    if options.json:
        print(json.dumps({"horizon_days": due.horizon_days, "rows": rows}, ensure_ascii=False, allow_nan=False))
        return 0
    print(due.shown(rows))
    return 0
