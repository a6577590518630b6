"""Compose conf/ into params.yaml with Hydra overrides, validated, showing what changes; or --check it."""

import argparse
from pathlib import Path

from twinloop.progress import say

EXAMPLE = "python -m twinloop conf profile=smoke factory/data=folder factory.data.source=data/source/mine"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("overrides", nargs="*", help="Hydra overrides: group=option or path.to.key=value")
    parser.add_argument("--force", action="store_true", help="overwrite choices made by hand or by -S in params.yaml")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; check params.yaml against conf/ and the schemas"
    )
    parser.add_argument("--stamp", type=Path, help="with --check: file to write when all is well (for the conf stage)")


def run(options: argparse.Namespace, root: Path) -> int:
    """Compose or check; returns the exit status."""
    from twinloop.twins import configuration

    if options.check:
        configuration.check(root)
        if options.stamp:
            configuration.stamp(root / options.stamp)
        return 0
    changes = configuration.write(root, options.overrides, force=options.force)
    for line in changes:
        print(line)
    say(f"conf: params.yaml {f'written, {len(changes)} value(s) changed' if changes else 'is up to date'}")
    return 0
