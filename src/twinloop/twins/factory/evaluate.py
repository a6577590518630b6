"""Measure the exported detector on the test split and choose the thresholds that cost least on the line.

Calibration and thresholds come from the validation split; every rate and figure is measured on the test split. Each
exported format gets its operating curve; figures and operating point are those of the deployed one.
"""

import numpy as np

from twinloop.files import atomic, write_json
from twinloop.progress import bar
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.stage import Stage
from twinloop.vision.evaluation.judgement import (
    examples,
    figures,
    judge,
    operating_point,
    predictions,
    reliability_table,
)
from twinloop.vision.index import load_images
from twinloop.vision.inference.predict import OnnxDetector, read_spec

EXAMPLE = "python -m twinloop factory evaluate"


def run(stage: Stage[FactoryConfig]) -> str:
    """Write curves, operating point, predictions, reliability, examples and metrics; returns the summary line."""
    settings, seed = stage.config.factory.evaluate, stage.config.seed
    spec, out = read_spec(stage.root / paths.ONNX), stage.root / paths.EVALUATION
    validation, test = (
        load_images(stage.root / paths.DATASET, split, size=spec["size"], channels=spec["channels"])
        for split in ("val", "test")
    )
    judged = {}
    with bar("graph", len(spec["files"])) as graphs:
        for name in spec["files"]:
            detector = OnnxDetector(stage.root / paths.ONNX, graph_format=name, threads=settings.threads)
            judged[name] = judge(detector, validation, test, settings=settings, model=spec["sha256"][name], seed=seed)
            judged[name].curve.save(out / f"operating_curve_{name}.parquet")
            graphs.step(note=name.upper())
    deployed = judged[spec["deployed"]]
    deployed.curve.save(out / "operating_curve.parquet")
    write_json(out / "operating_point.json", operating_point(deployed))
    with atomic(out / "predictions.parquet") as temporary:
        predictions(deployed).write_parquet(temporary)
    with atomic(out / "reliability.csv") as temporary:
        reliability_table(deployed).write_csv(temporary)
    with atomic(out / "examples.npz") as temporary:
        np.savez_compressed(temporary, **examples(deployed))  # type: ignore[arg-type]
    measured = figures(deployed, seed=seed)
    write_json(stage.root / paths.metrics("evaluate"), measured)
    return (
        f"test AUROC {measured['auroc']:.3f}, AP {measured['ap']:.3f}, ECE {measured['ece']:.3f}; "
        f"accept below {measured['threshold']:.2g}, reject from {measured['reject_from']:.2g}: "
        f"{measured['expected_cost_per_part']:.3f} € per part, today {measured['expected_cost_per_part_today']:.3f} €"
    )
