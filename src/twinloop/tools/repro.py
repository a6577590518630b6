"""Bring every stage of a twin up to date and print its answer (make repro)."""

import argparse
import time
from pathlib import Path

from twinloop.files import read_json
from twinloop.progress import clock, say
from twinloop.twins import registry

EXAMPLE = "python -m twinloop repro factory"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("twin", nargs="?", default="factory", help=f"one of: {', '.join(registry.TWINS)}")
    parser.add_argument(
        "--profile", help="compose this profile first: smoke, default or full (else params.yaml as it is)"
    )


def run(options: argparse.Namespace, root: Path) -> int:
    """Run the loop; returns the exit status."""
    from twinloop import pipeline
    from twinloop.twins import configuration

    twin, start = registry.find(options.twin), time.monotonic()
    if options.profile:
        configuration.write(root, [f"profile={options.profile}"])
    pipeline.reproduce(root, twin)
    answer = read_json(root / twin.paths.ANSWER)["sentence"]
    print(f"\n{answer}")
    store = configuration.store_location(root)
    say(f"Open {twin.paths.INDEX_PAGE}, or `make ui` to compare runs ({store}).   {clock(time.monotonic() - start)}")
    if line := configuration.choices_line(root):
        say(line)
    if options.profile and options.profile != "default":
        say(f"params.yaml now holds profile {options.profile}; `make repro PROFILE=default` returns to the default.")
    return 0
