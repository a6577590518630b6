"""Hold the graphs, opened as anybody would, against what the trained objects said, and measure how long they take.

The whole predictor is compared, calibration and mean included, at several sizes of a batch. Measured time goes to
latency.json.
"""

import numpy as np

from twinloop.files import sha256, write_json
from twinloop.learning.latency import hardware, measure
from twinloop.learning.parity import require_equal
from twinloop.prognostics.inference.graphs import TOLERANCE, open_hazard
from twinloop.prognostics.prepared import Prepared
from twinloop.twins.fleet import paths
from twinloop.twins.fleet.config import FleetConfig
from twinloop.twins.stage import Stage

EXAMPLE = "python -m twinloop fleet export"
FORMAT = "onnx"


def run(stage: Stage[FleetConfig]) -> str:
    """Write latency.json and the stage's metrics; returns the summary line."""
    settings, folder = stage.config.fleet.export, stage.root / paths.PREDICTOR
    model = open_hazard(folder)
    table, lives = Prepared.load(stage.root / paths.DATASET).learnt()
    with np.load(stage.root / paths.REFERENCE) as said:
        rows, expected = said["rows"], {name: said[name] for name in model.components}
    largest = 0.0
    for name, reference in expected.items():
        for size in settings.batches:
            parts = [rows[first : first + size] for first in range(0, min(len(rows), 16 * size), size)]
            answer = np.concatenate([model.hazards(table, lives, name, part) for part in parts])
            largest = max(largest, float(np.abs(answer - reference[: len(answer)]).max()))
        require_equal(largest, tolerance=TOLERANCE, name=name)
    latest = table.last[:1]

    def one_asset() -> None:
        for name in model.components:
            model.hazards(table, lives, name, latest)

    measured = measure(one_asset, runs=settings.latency_runs, warmup=settings.latency_warmup, threads=1)
    files = sorted(folder.glob("*.onnx"))
    write_json(stage.root / paths.LATENCY, {FORMAT: measured.record() | {"speedup": 1.0}, "hardware": hardware()})
    write_json(
        stage.root / paths.metrics("export"),
        {
            "format": FORMAT,
            "graphs": len(files),
            "megabytes": round(sum(path.stat().st_size for path in folder.iterdir()) / 1e6, 2),
            "largest_difference": largest,
            "predictor_sha256": sha256(folder / "hazard.json"),
        },
    )
    return (
        f"{len(files)} graphs, within {largest:.1e} of what was trained at batches of "
        f"{', '.join(map(str, settings.batches))}; {measured.p50_ms:.1f} ms for all components of an asset"
    )
