"""Compose conf/ with your choices, validate it, show what changes and write params.yaml; or --check it."""

import argparse
from pathlib import Path

from twinloop.progress import say

EXAMPLE = "python -m twinloop conf profile=smoke factory/data=folder factory.data.source=data/source/mine"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("overrides", nargs="*", help="choices: group=option, path.to.key=value; ~path drops one")
    parser.add_argument("--reset", action="store_true", help="drop all earlier choices (conf/choices.yaml) first")
    parser.add_argument("--force", action="store_true", help="overwrite what was set by hand or by -S in params.yaml")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; check params.yaml against conf/ and the schemas"
    )
    parser.add_argument("--stamp", type=Path, help="with --check: file to write when all is well (for the conf stage)")


def run(options: argparse.Namespace, root: Path) -> int:
    """Compose or check; returns the exit status."""
    from twinloop.twins import configuration
    from twinloop.twins.inputs import Inputs

    if options.check:
        inputs = Inputs.of(root, "conf") if options.stamp else None
        configuration.check(root)
        if inputs:
            inputs.require_unchanged()
            configuration.stamp(root / options.stamp)
        return 0
    overrides, told = configuration.completed(options.overrides)
    changes = configuration.write(root, overrides, force=options.force, reset=options.reset)
    for line in told:
        say(f"conf: {line}")
    for line in changes:
        print(line)
    say(f"conf: params.yaml {f'written, {len(changes)} value(s) changed' if changes else 'is up to date'}")
    if line := configuration.choices_line(root):
        say(line)
    for remark in configuration.remarks(root):
        say(f"conf: {remark}")
    return 0
