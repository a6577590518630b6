"""Write the front page over all twins from the answers that their reports left (a stage of its own)."""

import argparse
from pathlib import Path

from twinloop.twins import registry

EXAMPLE = "python -m twinloop front"


def arguments(parser: argparse.ArgumentParser) -> None:
    """It is given nothing."""


def run(options: argparse.Namespace, root: Path) -> int:
    """Write the page; returns the exit status."""
    from twinloop.reporting.front import read_answers, write_front

    write_front(root, read_answers(root, [twin.answer for twin in registry.chosen()]))
    return 0
