"""Measure the exported detector on the test split and choose the thresholds that cost least on the line.

Calibration and thresholds come from the validation split; every rate and figure is measured on the test split. Where
that holds too few defects, rates and ranks are of all parts out of fold, as the train stage tested them. Each exported
format gets its operating curve; figures, explanations, the reference of the drift monitor and the operating point are
those of the deployed one. torch is loaded only for explanations that need the trained network.
"""

from pathlib import Path

import numpy as np
import polars as pl

from twinloop.errors import InputError
from twinloop.files import atomic, read_json, sha256, write_json
from twinloop.learning.spec import Spec
from twinloop.progress import bar, say
from twinloop.twins.factory import paths
from twinloop.twins.factory.config import FactoryConfig
from twinloop.twins.stage import Stage
from twinloop.vision.evaluation.explain import FROM_OUTPUTS
from twinloop.vision.evaluation.explanations import Explainer, score_explanations
from twinloop.vision.evaluation.figures import figures
from twinloop.vision.evaluation.judgement import Judgement, judge
from twinloop.vision.evaluation.pooling import pooled_outputs
from twinloop.vision.evaluation.records import (
    drift_reference,
    examples,
    gauge_table,
    operating_point,
    predictions,
    reliability_table,
)
from twinloop.vision.evaluation.settings import EvaluateSettings, Method
from twinloop.vision.evaluation.unlikeness import refused_shares, unlike_table
from twinloop.vision.index import load_images
from twinloop.vision.inference.backends import Description
from twinloop.vision.inference.predict import DeployedDetector
from twinloop.vision.models.settings import ONE_CLASS
from twinloop.vision.monitoring.reference import REFERENCE_FILE

EXAMPLE = "python -m twinloop factory evaluate"


def run(stage: Stage[FactoryConfig]) -> str:
    """Write curves, operating point, predictions, tables, explanations, reference and metrics; returns the summary."""
    settings, seed = stage.config.factory.evaluate, stage.config.seed
    spec, out = Spec.load(stage.root / paths.ONNX), stage.root / paths.EVALUATION
    about = Description.of(spec, model=spec.digest)
    methods, left_out = _methods(stage.root / paths.DETECTOR, settings)
    explainer = _network(stage.root / paths.DETECTOR, spec, settings) if set(methods) - set(FROM_OUTPUTS) else None
    validation, test = (
        load_images(stage.root / paths.DATASET, split, size=about.size, channels=about.channels, cache=stage.cache)
        for split in ("val", "test")
    )
    pooled = pooled_outputs(stage.root / paths.DATASET, stage.root / paths.DETECTOR)
    judged = {}
    with bar("graph", len(spec.files)) as graphs:
        for name in spec.files:
            detector = DeployedDetector(stage.root / paths.ONNX, graph_format=name, threads=settings.threads)
            judged[name] = judge(detector, validation, test, settings=settings, seed=seed, pooled=pooled)
            judged[name].curve.save(out / f"operating_curve_{name}.parquet")
            graphs.step(note=name.upper())
    deployed = judged[spec.deployed]
    deployed.curve.save(out / "operating_curve.parquet")
    operating_point(deployed).save(stage.root / paths.OPERATING_POINT)
    drift_reference(deployed, seed=seed).save(out / REFERENCE_FILE)
    for name, table in (("predictions", predictions(deployed)), ("gauge", gauge_table(deployed))):
        with atomic(out / f"{name}.parquet") as temporary:
            table.write_parquet(temporary)
    detector = DeployedDetector(stage.root / paths.ONNX, threads=settings.threads)
    strangeness = unlike_table(detector, test, seed=seed)
    with atomic(out / "unlike.parquet") as temporary:
        strangeness.write_parquet(temporary)
    with atomic(out / "reliability.csv") as temporary:
        reliability_table(deployed).write_csv(temporary)
    with atomic(out / "examples.npz") as temporary:
        shown = examples(deployed, methods, explainer=explainer)
        np.savez_compressed(temporary, **shown)  # type: ignore[arg-type]
    scored = score_explanations(deployed, detector, methods, explainer=explainer, seed=seed)
    for name, table in (("explanations", scored.scores), ("explanation_curves", scored.curves)):
        with atomic(out / f"{name}.parquet") as temporary:
            table.write_parquet(temporary)
    measured = {
        **figures(deployed, seed=seed),
        **scored.metrics(),
        **_refused(strangeness),
        "explanations_left_out": ", ".join(left_out) or None,
    }
    if pooled is not None:
        measured["pooled_defective_parts"] = int(deployed.curve.counts[1:].sum())
        measured["pooled_good_parts"] = int(deployed.curve.counts[0])
        say(f"           {_pooled_line(deployed, settings)}")
    if deployed.stand_ins:
        measured["rendered_defects"] = ", ".join(deployed.stand_ins)
        say(f"           {_stand_ins_line(deployed, settings)}")
    write_json(stage.root / paths.metrics("evaluate"), measured)
    if deployed.limit is not None:
        say(f"           {deployed.limit.line}")
    where = "test" if pooled is None else "out-of-fold"
    return (
        f"{where} AUROC {measured['auroc']:.3f}, AP {measured['ap']:.3f}, ECE {measured['ece']:.3f}; "
        f"accept below {measured['threshold']:.2g}, reject from {measured['reject_from']:.2g}: "
        f"{measured['expected_cost_per_part']:.3f} € per part, today {measured['expected_cost_per_part_today']:.3f} €"
    )


def _refused(strangeness: pl.DataFrame) -> dict[str, float | None]:
    """Share of good test pictures, and on average of spoilt ones, that are unlike anything learnt."""
    good, *spoilt = refused_shares(strangeness).values()
    known = [share for share in spoilt if share is not None]
    return {"unlike_false_alarms": good, "unlike_caught": float(np.mean(known)) if known else None}


def _pooled_line(deployed: Judgement, settings: EvaluateSettings) -> str:
    good, *defective = deployed.curve.counts.tolist()
    held_out = [
        deployed.on_line.probability(outputs.scores[~outputs.defective])
        for outputs in (deployed.validation, deployed.test)
    ]
    rejected = sum(int((chances >= deployed.curve.reject_from).sum()) for chances in held_out)
    return (
        f"few defects: measured on all {sum(defective)} defective and {good} good parts, none of them seen by what "
        f"judged it; rejected from {deployed.curve.reject_from:.2g}, which at most {settings.false_alarm_rate:.0%} of "
        f"the good reach, and {rejected} of {sum(map(len, held_out))} judged by the deployed detector"
    )


def _stand_ins_line(deployed: Judgement, settings: EvaluateSettings) -> str:
    splits = {"val": "validation", "test": "test"}
    measured = " and ".join(splits[name] for name in deployed.stand_ins)
    line = f"no real defect in {measured}: rendered ones stand in, and what is measured there is about those"
    if deployed.pooled is not None:
        return f"{line}: only where it looks; nothing is counted or chosen on them"
    if "val" not in deployed.stand_ins:
        return line
    good = int((~deployed.validation.defective).sum())
    return (
        f"{line}; rejected from {deployed.curve.reject_from:.2g}, which at most {settings.false_alarm_rate:.0%} of the "
        f"good validation images reach ({good} of them are not pasted on)"
    )


def _methods(detector: Path, settings: EvaluateSettings) -> tuple[tuple[Method, ...], tuple[Method, ...]]:
    """The explanations that this kind of detector has, and those that it has not."""
    asked = settings.explanations.methods
    if asked == ("heat",) or _kind(detector) not in ONE_CLASS:
        return asked, ()
    return ("heat",), tuple(method for method in asked if method != "heat")


def _kind(detector: Path) -> str:
    path = detector / "model.json"
    if not path.is_file():
        raise InputError(f"evaluate: {path}: expected the trained detector, found none: run the train stage first")
    return str(read_json(path)["kind"])


def _network(folder: Path, spec: Spec, settings: EvaluateSettings) -> Explainer:
    from twinloop.vision.evaluation.network import Network
    from twinloop.vision.models.saving import WEIGHTS_FILE

    if sha256(folder / WEIGHTS_FILE) != spec.about["weights_sha256"]:
        raise InputError(f"evaluate: {folder}: not the detector that was exported: run the export stage again")
    return Network(folder, threads=settings.threads)
