"""A hazard model as files that run anywhere and hold no code: ONNX graphs, XGBoost's own JSON, one JSON of the rest.

Every graph is compared with the object it came from, at several sizes of a batch, before anybody may use it.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.config import parse
from twinloop.errors import InputError
from twinloop.files import atomic, read_json, write_json
from twinloop.learning.inference import Graph, open_graph, run_batches
from twinloop.learning.parity import batch_differences, require_equal
from twinloop.learning.signature import Outputs
from twinloop.prognostics.models.additive import Explained, Terms, of_terms, of_trees
from twinloop.prognostics.models.boosting import boosted, read_booster
from twinloop.prognostics.models.calibration import Calibration, logit, sigmoid
from twinloop.prognostics.models.forest import filled, forest_probability
from twinloop.prognostics.models.hazard import NETWORK, ComponentModel, HazardModel
from twinloop.prognostics.models.linear import linear_probability, linear_terms
from twinloop.prognostics.models.lookback import Sequences
from twinloop.prognostics.models.members import BOOSTED, FOREST, LINEAR, Odds, Trees, forest_booster
from twinloop.prognostics.models.settings import HazardSettings
from twinloop.prognostics.models.weibull import Weibull

Floats = NDArray[np.float64]
TOLERANCE = 1e-5
BATCHES = (1, 2, 7, 32)
FORMAT = 2
INPUT = "features"
# What a record must hold, and as what.
RECORD: dict[str, type] = {"settings": dict, "components": dict, "columns": list, "signals": list}


def export_hazard(
    model: HazardModel, folder: Path, values: NDArray[np.float32], windows: NDArray[np.float32]
) -> dict[str, float]:
    """Write the model into a folder; returns graph → largest difference of a probability on samples.

    values: [N, F + 2] inputs of the trees; windows: [N, T, C + 1] of the network; N at least 65. Raises RunError where
    a graph differs by more than 1e-5.
    """
    folder.mkdir(parents=True, exist_ok=True)
    differences: dict[str, float] = {}
    for number, (name, own) in enumerate(model.components.items()):
        if own.trees is None:
            continue
        trees, width = own.trees, values.shape[1]
        graphs = [
            (FOREST, _learn_graph(trees.forest, width), forest_probability(trees.forest, values)),
            (
                BOOSTED,
                _boosted_graph(trees.booster, width),
                trees.booster.inplace_predict(values).astype(np.float64),
            ),
        ]
        if trees.linear is not None:
            graphs.append((LINEAR, _learn_graph(trees.linear, width), linear_probability(trees.linear, values)))
        for kind, graph, reference in graphs:
            path = folder / f"{number}_{kind}.onnx"
            _save(graph, path, {"component": name, "member": kind})
            inputs = values if kind == BOOSTED else filled(values)
            differences[f"{name} {kind}"] = _difference(path, inputs, reference)
        explaining = forest_booster(trees)
        differences[f"{name} {FOREST} explained"] = float(
            np.abs(boosted(explaining, filled(values)) - forest_probability(trees.forest, values)).max()
        )
        for kind, booster in ((FOREST, explaining), (BOOSTED, trees.booster)):
            with atomic(folder / f"{number}_{kind}.json") as temporary:
                booster.save_model(temporary)
    if model.module is not None:
        differences[NETWORK] = _export_network(model, folder, windows)
    write_json(folder / "hazard.json", _record(model))
    for name, difference in differences.items():
        require_equal(difference, tolerance=TOLERANCE, name=name)
    return differences


def open_hazard(folder: Path) -> HazardModel:
    """The model that `export_hazard` wrote, on ONNX Runtime: the same predictions without torch and scikit-learn.

    Raises InputError for a folder of something else.
    """
    try:
        record = read_json(folder / "hazard.json")
    except (OSError, ValueError) as error:
        raise InputError(f"hazard model: {folder}: cannot be read ({error}): export it again") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise InputError(f"hazard model: {folder}: expected format {FORMAT}: export it again")
    missing = [name for name in (*RECORD, "network") if not isinstance(record.get(name), RECORD.get(name, bool))]
    if missing:
        raise InputError(
            f"hazard model: {folder}: hazard.json: {missing[0]} is missing or of another kind: export it again"
        )
    settings = parse(HazardSettings, record["settings"])
    components = {}
    for number, (name, own) in enumerate(record["components"].items()):
        try:
            components[name] = _component(folder, number, own)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"hazard model: {folder}: hazard.json: {name}: cannot be read ({type(error).__name__}: {error}): "
                "export it again"
            ) from None
    graph = open_graph(folder / f"{NETWORK}.onnx") if record["network"] else None

    def odds(sequences: Sequences, rows: NDArray[np.int64]) -> Floats:
        assert graph is not None
        windows = sequences.windows(rows, settings.network.length)
        answer = run_batches(graph, {"windows": windows}, batch=2048)[0]
        return answer.astype(np.float64).reshape(len(rows), len(components), settings.days)

    return HazardModel(
        settings, tuple(record["columns"]), tuple(record["signals"]), components, odds if graph is not None else None
    )


def _component(folder: Path, number: int, own: dict[str, Any]) -> ComponentModel:
    calibration = {name: Calibration(*values) for name, values in own["calibration"].items()}
    members = {
        kind: _odds(open_graph(folder / f"{number}_{kind}.onnx"), fill=kind != BOOSTED)
        for kind in (FOREST, BOOSTED, LINEAR)
        if kind in calibration
    }
    age, pooled = Weibull(*own["age"]), Calibration(*own["pooled"])
    if not members:
        return ComponentModel(members, calibration, pooled, age, own["failures"])
    forest, booster = (read_booster(folder / f"{number}_{kind}.json") for kind in (FOREST, BOOSTED))
    explained: dict[str, Explained] = {FOREST: of_trees(forest, fill=True), BOOSTED: of_trees(booster)}
    if own["terms"] is not None:
        weights, means, log_odds = own["terms"]
        explained[LINEAR] = of_terms(Terms(np.array(weights), np.array(means), log_odds))
    trees = Trees(None, booster)
    return ComponentModel(
        members, calibration, pooled, age, own["failures"], trees, explained, float(own["network_mean"])
    )


def _odds(graph: Graph, *, fill: bool) -> Odds:
    def odds(values: NDArray[np.float32]) -> Floats:
        given = {INPUT: filled(values) if fill else values}
        return logit(_probability(run_batches(graph, given, batch=4096)))

    return odds


def _probability(outputs: Outputs) -> Floats:
    """Of a classifier's outputs, label and probabilities [N, 2], the second's."""
    answer: Floats = outputs[-1][:, -1].astype(np.float64)
    return answer


def _difference(path: Path, inputs: NDArray[np.float32], reference: Floats) -> float:
    graph = open_graph(path)
    found = batch_differences(
        lambda some: [_probability(graph(some))],
        {INPUT: inputs},
        [reference],
        sizes=[s for s in BATCHES if 2 * s < len(inputs)],
    )
    return max(found.values())


def _learn_graph(model: Any, width: int) -> Any:
    """Of a classifier of scikit-learn's."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    return to_onnx(
        model, initial_types=[(INPUT, FloatTensorType([None, width]))], options={"zipmap": False}, target_opset=20
    )


def _boosted_graph(booster: Any, width: int) -> Any:
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    # Without a name the graph gets one by chance, and no two exports are the same.
    return convert_xgboost(
        booster, name=BOOSTED, initial_types=[(INPUT, FloatTensorType([None, width]))], target_opset=15
    )


def _save(graph: Any, path: Path, metadata: dict[str, str]) -> None:
    from twinloop.learning.export import save_graph

    save_graph(graph, path, metadata)


def _export_network(model: HazardModel, folder: Path, windows: NDArray[np.float32]) -> float:
    from twinloop.learning.export import to_onnx, torch_outputs
    from twinloop.learning.signature import Input

    assert model.module is not None
    path = folder / f"{NETWORK}.onnx"
    shape = tuple(windows.shape[1:])
    to_onnx(model.module, [Input("windows", shape)], path=path, outputs=["log_odds"], metadata={"member": NETWORK})
    graph = open_graph(path)
    reference = [sigmoid(values.astype(np.float64)) for values in torch_outputs(model.module, {"windows": windows})]
    found = batch_differences(
        lambda some: [sigmoid(values.astype(np.float64)) for values in graph(some)],
        {"windows": windows},
        reference,
        sizes=[s for s in BATCHES if 2 * s < len(windows)],
    )
    return max(found.values())


def _record(model: HazardModel) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "settings": dataclasses.asdict(model.settings),
        "columns": list(model.columns),
        "signals": list(model.signals),
        "network": model.module is not None,
        "components": {
            name: {
                "failures": own.failures,
                "age": list(own.age),
                "pooled": list(own.pooled),
                "calibration": {key: list(value) for key, value in own.calibration.items()},
                "network_mean": own.network_mean,
                "terms": _terms(own),
            }
            for name, own in model.components.items()
        },
    }


def _terms(own: ComponentModel) -> list[Any] | None:
    """Of the regression, where there is one."""
    if own.trees is None or own.trees.linear is None:
        return None
    terms = linear_terms(own.trees.linear)
    return [terms.weights.tolist(), terms.means.tolist(), terms.log_odds]
