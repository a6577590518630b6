"""Explanations scored on the test split, each held against a blob in the middle and a random map.

Four scores per defective image: pointing and energy on its mask (see `explain`), the areas under the deletion and the
insertion curve (see `faithfulness`). A method is worth showing only where it beats the blob: the 95 % interval of the
paired difference, drawn over independent parts, lies above zero. Where it does not, that is what is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twinloop.vision.evaluation import explain
from twinloop.vision.evaluation.faithfulness import Curves, perturbation_curves
from twinloop.vision.evaluation.judgement import BATCH, Judgement, Outputs
from twinloop.vision.evaluation.settings import Method
from twinloop.vision.evaluation.verdicts import BASELINES, BLOB, MEASURES, RANDOM, verdicts
from twinloop.vision.inference.predict import DeployedDetector
from twinloop.vision.scores import anomaly_score, upscale

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
DRAWS = 2000
ENDS = (2.5, 97.5)


class Explainer(Protocol):
    """Makes maps [N, h, w] from images; see `network.Network`."""

    def maps(self, images: NDArray[np.uint8], method: Method) -> tuple[str, Floats]: ...


@dataclass(frozen=True, eq=False)
class Scored:
    """Explanations with their scores.

    scores: one row per map, score and baseline: method, measure, value, low, high, baseline, difference (positive:
    better than the baseline), difference_low, difference_high. curves: method, curve, fraction, score, low, high.
    images, parts: on which they were scored.
    """

    scores: pl.DataFrame
    curves: pl.DataFrame
    images: int
    parts: int

    def metrics(self) -> dict[str, float | int | str]:
        """Flat values: every score of every map, and per method what it is worth beside the blob."""
        values = self.scores.unique(("method", "measure"), keep="first", maintain_order=True)
        flat: dict[str, float | int | str] = {
            f"explanation_{row['method']}_{row['measure']}": row["value"] for row in values.iter_rows(named=True)
        }
        flat |= {f"explanation_{name}": verdict for name, verdict in verdicts(self.scores).items()}
        return flat | {"explanation_images": self.images, "explanation_parts": self.parts}


def maps_of(
    outputs: Outputs, places: Places, methods: Sequence[Method], explainer: Explainer | None
) -> dict[str, Floats]:
    """Maps [n, size, size] ≥ 0 of the images at `places`, by the name of what made them.

    Without an explainer only those `FROM_OUTPUTS` can be made.
    """
    size = outputs.data.images.shape[1]
    maps_by_name: dict[str, Floats] = {}
    for method in methods:
        if method in explain.FROM_OUTPUTS:
            made: tuple[str, Floats] = method, explain.FROM_OUTPUTS[method](outputs.heat[places], size=size)
        elif explainer is not None:
            made = explainer.maps(outputs.data.images[places], method)
        else:
            continue
        name, maps = made
        maps_by_name[name] = upscale(maps, (size, size)).astype(np.float64)
    return maps_by_name


def score_explanations(
    judgement: Judgement,
    detector: DeployedDetector,
    methods: Sequence[Method],
    *,
    explainer: Explainer | None,
    seed: int,
) -> Scored:
    """Score every method on up to `explanations.images` defective test images.

    Images with a mask are preferred; without any, only deletion and insertion can be scored. The curves follow the
    calibrated defect probability at the validation split's share of defects.
    """
    settings, test = judgement.settings.explanations, judgement.test.pieces
    if not test.data.masks.any():
        # Which tile shows the defect nobody knows: the hottest, then.
        test = judgement.test
    places = scored_images(test, settings.images, seed=seed)
    images, masks = test.data.images[places], test.data.masks[places]
    maps = maps_of(test, places, methods, explainer)
    maps |= {BLOB: explain.centre_blob(masks.shape), RANDOM: explain.random_maps(masks.shape, seed=seed)}

    def score(batch: NDArray[np.uint8]) -> Floats:
        return judgement.fitted.probability(anomaly_score(raw_logits(detector, batch)))

    curves = perturbation_curves(score, images, maps, steps=settings.steps, width=settings.blur, seed=seed)
    values = {name: _values(maps[name], masks, curves[name]) for name in maps}
    weights, count = part_weights([test.data.groups[place] for place in places], seed=seed)
    return Scored(_table(values, weights), _curve_table(curves, weights), images=len(places), parts=count)


def scored_images(test: Outputs, count: int, *, seed: int) -> Places:
    """Places of up to `count` defective images, drawn at random, with a mask if there is any."""
    masked = test.defective & test.data.masked & test.data.masks.any(axis=(1, 2))
    candidates = np.flatnonzero(masked if masked.any() else test.defective)
    chosen = np.random.default_rng(np.random.SeedSequence(seed)).permutation(candidates)[:count]
    return np.sort(chosen)


def part_weights(groups: Sequence[str], *, seed: int) -> tuple[Floats, int]:
    """[1 + draws, N] weights of images, sum 1: all alike, then with the parts drawn with replacement; and the parts."""
    _, part = np.unique(np.asarray(groups), return_inverse=True)
    count = int(part.max()) + 1
    random = np.random.default_rng(np.random.SeedSequence(seed))
    times = random.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    weights = np.vstack([np.ones(count), times])[:, part]
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares, count


def raw_logits(detector: DeployedDetector, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Class logits [N, K] of images of the graph's size, in batches."""
    parts = (detector.raw(images[start : start + BATCH]).logits for start in range(0, len(images), BATCH))
    return np.concatenate(list(parts))


def _values(maps: Floats, masks: NDArray[np.uint8], curves: Curves) -> dict[str, Floats]:
    values = {"deletion": curves.deletion_area, "insertion": curves.insertion_area}
    if not masks.any():
        return values
    lying = explain.on_mask(maps, masks)
    return {"pointing": lying.pointing, "energy": lying.energy, **values}


def _table(values: Mapping[str, Mapping[str, Floats]], weights: Floats) -> pl.DataFrame:
    rows = []
    for method, own in values.items():
        for measure, scores in own.items():
            value, low, high = _interval(weights @ scores)
            for baseline in BASELINES:
                ahead = MEASURES[measure] * (scores - values[baseline][measure])
                difference, least, most = _interval(weights @ ahead)
                rows.append((method, measure, value, low, high, baseline, difference, least, most))
    names = ("method", "measure", "value", "low", "high", "baseline", "difference")
    return pl.DataFrame(rows, schema=[*names, "difference_low", "difference_high"], orient="row")


def _curve_table(curves: Mapping[str, Curves], weights: Floats) -> pl.DataFrame:
    rows = []
    for method, own in curves.items():
        for curve, scores in (("deletion", own.deletion), ("insertion", own.insertion)):
            drawn = weights @ scores
            ends = np.percentile(drawn[1:], ENDS, axis=0)
            rows += [
                (method, curve, fraction, middle, low, high)
                for fraction, middle, low, high in zip(
                    own.fractions.tolist(), drawn[0].tolist(), *ends.tolist(), strict=True
                )
            ]
    return pl.DataFrame(rows, schema=["method", "curve", "fraction", "score", "low", "high"], orient="row")


def _interval(drawn: Floats) -> tuple[float, float, float]:
    low, high = np.percentile(drawn[1:], ENDS)
    return float(drawn[0]), float(low), float(high)
