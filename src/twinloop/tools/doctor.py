"""Check this machine: Python, packages, GPU, store, cache, data; and say what each gap costs."""

import argparse
from pathlib import Path

from twinloop.errors import RunError

EXAMPLE = "python -m twinloop doctor"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tool is given: nothing."""


def run(options: argparse.Namespace, root: Path) -> int:
    """Print every finding. Raises RunError where something needed is missing."""
    from twinloop.doctor import findings

    results = findings(root)
    for finding in results:
        print(f"{'✓' if finding.ok else '✗' if finding.needed else '–'} {finding.what:<18} {finding.told}")
    if any(not finding.ok and finding.needed for finding in results):
        raise RunError("doctor: something needed is missing: `make setup` installs what the project pins")
    return 0
