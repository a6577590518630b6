"""Show a person: profile, sliders, voice, documents, and the command that runs the loop on them."""

import argparse
import json
from pathlib import Path

EXAMPLE = "python -m twinloop person show ada"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("name", nargs="?", help="of the folder, or their own (default: the only one there is)")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(options: argparse.Namespace, root: Path) -> int:
    """Print what is known. Raises InputError for an unknown name."""
    from twinloop.numbers import counted
    from twinloop.twins.person.people.folders import loop_command, person

    one = person(root, options.name)
    record = one.record()
    if options.json:
        print(json.dumps(record | {"command": loop_command(one)}, ensure_ascii=False))
        return 0
    for key, value in record["profile"].items():
        shown = " ".join(f"{name} {held}" for name, held in value.items()) if isinstance(value, dict) else value
        print(f"{key:<10} {shown}")
    print(f"{'folder':<10} {record['folder']}")
    named = f": {', '.join(record['documents'][:5])}" if record["documents"] else ""
    print(f"{'documents':<10} {counted(len(record['documents']), 'document')}{named}")
    for part in ("messages", "calendar"):
        print(f"{part:<10} {'yes' if record[part] else 'no'}")
    print(f"{'loop':<10} `{loop_command(one)}`, then `make repro TWIN=person`")
    return 0
