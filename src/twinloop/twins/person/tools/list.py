"""List the people who have a folder below data/source/person."""

import argparse
import json
from pathlib import Path

from twinloop.progress import say

EXAMPLE = "python -m twinloop person list"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(options: argparse.Namespace, root: Path) -> int:
    """Print a row for each."""
    from twinloop.reporting.tables import Table
    from twinloop.twins.person.people.folders import people

    records = [one.record() for one in people(root)]
    if options.json:
        print(json.dumps(records, ensure_ascii=False))
        return 0
    rows = [
        (
            one["name"],
            one["profile"].get("name", "–"),
            len(one["documents"]),
            "yes" if one["messages"] else "no",
            "yes" if one["calendar"] else "no",
            "unfinished: `person init` goes on" if one["unfinished"] else one["folder"],
        )
        for one in records
    ]
    if rows:
        print(Table.of(("person", "name", "documents", "messages", "calendar", "folder"), rows))
    else:
        say("nobody yet: run `python -m twinloop person init`")
    return 0
