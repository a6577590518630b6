"""Bring every stage of all twins, or of one, up to date and print each answer as it stands (make repro)."""

import argparse
import time
from pathlib import Path

from twinloop.progress import clock, say
from twinloop.twins import registry

EXAMPLE = "python -m twinloop repro factory"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("twin", nargs="?", help=f"one of: {', '.join(registry.TWINS)} (default: all)")
    parser.add_argument(
        "--profile", help="compose this profile first: smoke, default or full (else params.yaml as it is)"
    )


def run(options: argparse.Namespace, root: Path) -> int:
    """Run the loops; returns the exit status."""
    from twinloop import pipeline
    from twinloop.reporting.front import PAGE, read_answers
    from twinloop.twins import configuration

    twins, start = registry.chosen(options.twin), time.monotonic()
    if options.profile:
        configuration.write(root, [f"profile={options.profile}"])
    status = 0
    for twin in twins:
        try:
            pipeline.reproduce(root, twin)
        except pipeline.StageStopped as error:
            if len(twins) == 1:
                raise
            # The others do not depend on it.
            say(str(error))
            status = error.exit_code
            continue
        for answer in read_answers(root, [twin.answer]):
            print(f"{twin.name:<10} … {answer.sentence}", flush=True)
    answers = len(read_answers(root, [twin.answer for twin in registry.chosen()]))
    store = configuration.store_location(root)
    say(
        f"Open {PAGE}: one front page, {answers} answer{'' if answers == 1 else 's'}, each with its figure and its own "
        f"page below; or `make ui` to compare runs ({store}).   {clock(time.monotonic() - start)}"
    )
    if line := configuration.choices_line(root):
        say(line)
    if options.profile and options.profile != "default":
        say(f"params.yaml now holds profile {options.profile}; `make repro PROFILE=default` returns to the default.")
    return status
