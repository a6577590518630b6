"""Show the workshop's book, the days that a vehicle could have, or what a move of its visit would cost.

Nothing is changed: what customers and foremen agree on is kept by the served book (`serve fleet-booking`).
"""

import argparse
import json
from pathlib import Path
from typing import Any

EXAMPLE = "python -m twinloop book VEH007"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("asset", nargs="?", help="a vehicle: which days it could have (default: the whole book)")
    parser.add_argument("--to", type=int, metavar="DAY", help="what it would cost to have it on this day of the book")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(options: argparse.Namespace, root: Path) -> int:
    """Print the answer. Raises InputError for an unknown vehicle, a day past or closed, and before `fleet schedule`."""
    from twinloop.errors import InputError
    from twinloop.twins.fleet.results.desk import OpenBook

    if options.asset is None and options.to is not None:
        raise InputError("book: --to: expected the vehicle that is to come then: name it")
    opened = OpenBook(root)
    answer: dict[str, Any]
    if options.asset is None:
        answer = opened.whole()
    elif options.to is None:
        answer = opened.days_of(options.asset)
    else:
        answer = opened.moved(options.asset, to=options.to)
    print(json.dumps(answer, ensure_ascii=False, allow_nan=False) if options.json else opened.shown(answer))
    return 0
