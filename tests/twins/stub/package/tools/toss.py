"""Say what betting on heads has earned."""

import argparse
from pathlib import Path

from twinloop.twins.stub.results import StubOutputs

from twinloop.errors import InputError

EXAMPLE = "python -m twinloop stub toss"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given."""
    parser.add_argument("--tosses", type=int, default=1)


def run(options: argparse.Namespace, root: Path) -> int:
    """Print it. Raises InputError for fewer than one toss."""
    if options.tosses < 1:
        raise InputError(f"toss: TossSettings.tosses = {options.tosses}: expected 1 or more")
    print(StubOutputs(root).sentence())
    return 0
