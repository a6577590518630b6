"""Figures of conversing: what is heard, found, answered and rightly left unanswered, and how many it serves.

`python benchmarks/dialogue.py --json --data DIR` prints one JSON object; DIR holds qmsum/, xquad/ and speech/. What
was chosen for finding and answering was chosen on QMSum's training meetings, on their summaries, and on what
fictional persons are asked; no query of its validation meetings chose a setting, and no weight was fitted to XQuAD.
Its figures were seen when it was decided that the score of a passage does not count in refusing, so refusal there is
not quite unseen. `_half` is half of a 95 % interval, by bootstrap over meetings or articles. A figure that could not
be measured is null, its reason under "reasons". What a part measures is said in its module; a part is added by a
module with a function `measured` and an entry in PARTS.
"""

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from twinloop.errors import TwinloopError

PARTS = {
    "speech": "benchmarks.hearing",
    "retrieval": "benchmarks.retrieval",
    "answers": "benchmarks.answers",
    "digits": "benchmarks.digits",
    "persona": "benchmarks.persona",
    "loop": "benchmarks.person_loop",
}


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with qmsum/, xquad/ and speech/ (else $TWINLOOP_DATA)")
    parser.add_argument("--work", type=Path, help="folder that keeps indexes between runs (else a temporary one)")
    parser.add_argument("--json", action="store_true", help="print JSON on one line")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=list(PARTS), help="some parts only")
    options = parser.parse_args()
    data = options.data or (Path(os.environ["TWINLOOP_DATA"]) if "TWINLOOP_DATA" in os.environ else None)
    figures: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="twinloop-bench-") as temporary:
        for part in options.only:
            started = time.process_time()
            try:
                module = importlib.import_module(PARTS[part])
                figures |= module.measured(data, options.work or Path(temporary), reasons)
            except TwinloopError as error:
                reasons[part] = str(error)
            figures[f"{part}_cpu_s"] = round(time.process_time() - started, 1)
    print(json.dumps(figures | {"reasons": reasons}, indent=None if options.json else 2))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
