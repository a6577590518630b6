"""An isolation forest (Liu, Ting and Zhou, 2008): what few random cuts part from all else is unusual.

Fitted to windows of other assets, it judges each window by itself. It leaves as an ONNX graph, which is compared with
the forest at several sizes of a batch, and one JSON; whoever opens these needs no scikit-learn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinloop.errors import InputError
from twinloop.files import read_json, sha256, write_json
from twinloop.learning.inference import open_graph, run_batches
from twinloop.learning.parity import batch_differences, require_equal
from twinloop.learning.signature import Outputs
from twinloop.prognostics.anomaly.detector import Said, rows_of, watched
from twinloop.prognostics.anomaly.settings import IsolationSettings
from twinloop.prognostics.inference.graphs import BATCHES, INPUT, TOLERANCE
from twinloop.prognostics.models.forest import filled
from twinloop.prognostics.models.table import FeatureTable

Floats = NDArray[np.float64]
GRAPH, RECORD = "isolation.onnx", "anomaly.json"
FORMAT = 1


@dataclass(frozen=True, eq=False)
class IsolationForest:
    """A detector whose score is 2^(-h/c): h the mean number of cuts, c that of a search tree; usual is below 0.5.

    threshold: score from which on it raises an alarm. score: [N, F] → [N]. forest: what it was fitted as, None where it
    was opened from a graph.
    """

    columns: tuple[str, ...]
    threshold: float
    score: Callable[[NDArray[np.float32]], Floats]
    forest: Any = None

    def stream(self) -> "IsolationForest":
        """Itself: it remembers nothing."""
        return self

    def push(self, values: Floats) -> Said:
        """What is said of rows, [n, F]; a missing value counts as usual, 0."""
        rows = rows_of(values, len(self.columns)).astype(np.float32)
        score = self.score(rows) if len(rows) else np.zeros(0)
        return Said(score, score >= self.threshold, np.full(len(score), -1))


def fit_isolation(
    table: FeatureTable, settings: IsolationSettings, *, columns: tuple[str, ...] | None = None, seed: int = 0
) -> IsolationForest:
    """A forest of the table's windows. columns: those it looks at, else all that vary but for ages.

    Raises InputError for fewer than two windows, and for columns that are not there.
    """
    from sklearn.ensemble import IsolationForest as Forest

    names = watched(table, columns)
    if len(table) < 2:
        raise InputError(f"anomaly: expected at least 2 windows to learn what is usual, got {len(table)}")
    values = filled(table.selected(names))
    forest = Forest(
        n_estimators=settings.trees,
        max_samples=min(settings.rows, len(values)),
        max_features=settings.columns,
        n_jobs=settings.threads,
        random_state=seed,
    ).fit(values)

    def score(some: NDArray[np.float32]) -> Floats:
        found: Floats = -forest.score_samples(filled(some))
        return found

    threshold = float(np.quantile(score(values), 1 - settings.alarm_share))
    return IsolationForest(names, threshold, score, forest)


def export_isolation(model: IsolationForest, folder: Path, values: NDArray[np.float32]) -> dict[str, float]:
    """Write a fitted forest into a folder; returns graph → largest difference of a score on samples [N, F].

    N at least 65, columns as the model's. Raises RunError where it is more than 1e-5.
    """
    from twinloop.learning.export import save_graph

    save_graph(_graph(model.forest, len(model.columns)), folder / GRAPH, {"member": "isolation forest"})
    record = {"format": FORMAT, "columns": list(model.columns), "threshold": model.threshold}
    write_json(folder / RECORD, {**record, "sha256": sha256(folder / GRAPH)})
    opened = open_graph(folder / GRAPH)
    found = batch_differences(
        lambda some: [_score(opened(some))],
        {INPUT: filled(values)},
        [model.score(values)],
        sizes=[size for size in BATCHES if 2 * size < len(values)],
    )
    difference = max(found.values())
    require_equal(difference, tolerance=TOLERANCE, name="isolation forest")
    return {"isolation forest": difference}


def open_isolation(folder: Path) -> IsolationForest:
    """The forest that `export_isolation` wrote, on ONNX Runtime.

    Raises InputError for a folder of something else, RunError for a graph that was altered after its export.
    """
    try:
        record = read_json(folder / RECORD)
    except (OSError, ValueError) as error:
        raise InputError(f"anomaly: {folder}: cannot be read ({error}): export it again") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise InputError(f"anomaly: {folder}: expected format {FORMAT}: export it again")
    graph = open_graph(folder / GRAPH, digest=record["sha256"])

    def score(values: NDArray[np.float32]) -> Floats:
        return _score(run_batches(graph, {INPUT: filled(values)}, batch=4096))

    return IsolationForest(tuple(record["columns"]), record["threshold"], score)


def search_depth(rows: Floats) -> Floats:
    """c(n) = 2 H(n - 1) - 2 (n - 1) / n: mean cuts by which a search tree of n rows tells that it lacks one."""
    count = np.maximum(rows, 2.0)
    # As scikit-learn has it: H(k) by ln k + γ, and exactly 1 for two rows.
    depth = 2 * (np.log(np.maximum(count - 1, 1.0)) + np.euler_gamma) - 2 * (count - 1) / count
    return np.select([rows <= 1, rows == 2], [0.0, 1.0], depth)


def _graph(forest: Any, width: int) -> Any:
    """One ensemble of all trees, whose leaves hold their share of the exponent; skl2onnx's own, an ensemble and a dozen
    operators per tree, takes a hundred times as long to make and five to run."""
    from onnx import helper
    from onnx.onnx_pb import TensorProto
    from skl2onnx.common.tree_ensemble import add_tree_to_attribute_pairs, get_default_tree_regressor_attribute_pairs

    attributes = get_default_tree_regressor_attribute_pairs() | {"n_targets": 1}
    most = len(forest.estimators_) * float(search_depth(np.array(float(forest.max_samples_))))
    for number, (estimator, columns) in enumerate(zip(forest.estimators_, forest.estimators_features_, strict=True)):
        tree = estimator.tree_
        cuts = tree.compute_node_depths() - 1 + search_depth(tree.n_node_samples.astype(np.float64))
        nodes = SimpleNamespace(
            node_count=tree.node_count,
            children_left=tree.children_left,
            children_right=tree.children_right,
            feature=columns[np.maximum(tree.feature, 0)],
            threshold=tree.threshold,
            value=cuts[:, None] / most,
        )
        add_tree_to_attribute_pairs(
            attributes, False, nodes, number, 1.0, 0, False, adjust_threshold_for_sklearn=True, dtype=np.float32
        )
    steps = [
        helper.make_node("TreeEnsembleRegressor", [INPUT], ["share"], domain="ai.onnx.ml", **attributes),
        helper.make_node("Neg", ["share"], ["exponent"]),
        helper.make_node("Pow", ["two", "exponent"], ["score"]),
    ]
    graph = helper.make_graph(
        steps,
        "isolation_forest",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, 1])],
        [helper.make_tensor("two", TensorProto.FLOAT, [], [2.0])],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def _score(outputs: Outputs) -> Floats:
    score: Floats = outputs[-1].astype(np.float64).ravel()
    return score
