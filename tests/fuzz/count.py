"""Counts by kind what spoilt input is answered with; `python -m tests.fuzz.count 100000` is `make fuzz`."""

import sys
import tempfile
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.fuzz.kinds import KINDS
from twinloop.errors import LONGEST, TwinloopError
from twinloop.vision.datasets.samples import Refused


@dataclass
class Counts:
    """How many inputs were read and refused, and what else came out, with the seed that shows it."""

    read: int = 0
    refused: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    of_each: Counter[str] = field(default_factory=Counter)


def count(kind: str, seeds: range) -> Counts:
    """Try one input for every seed."""
    counts = Counts()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in seeds:
            try:
                KINDS[kind](np.random.default_rng(seed), Path(folder))
                counts.read += 1
            except (TwinloopError, Refused) as error:
                counts.refused += 1
                message = str(error)
                if not message.isprintable() or not 0 < len(message) <= LONGEST:
                    _enter(counts, f"message {message!r:.200}", seed)
            except Exception as error:
                last = traceback.extract_tb(error.__traceback__)[-1]
                own = [f for f in traceback.extract_tb(error.__traceback__) if "/twinloop/" in f.filename]
                place = own[-1] if own else last
                _enter(counts, f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}", seed)
    return counts


def _enter(counts: Counts, fault: str, seed: int) -> None:
    counts.faults.setdefault(fault, seed)
    counts.of_each[fault] += 1


def main() -> int:
    """Print the counts; exit status 1 where anything but one line came out."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    status = 0
    for kind in sys.argv[2:] or KINDS:
        counts = count(kind, range(number))
        tracebacks = sum(counts.of_each.values())
        print(
            f"{kind:<10} {number} inputs: {counts.read} read, {counts.refused} refused, {tracebacks} faults", flush=True
        )
        for fault, times in counts.of_each.most_common():
            print(f"           {times} × {fault} (seed {counts.faults[fault]})")
        status |= bool(tracebacks)
    return status


if __name__ == "__main__":
    sys.exit(main())
