"""Any folder of pictures: the photograph recipe beside features by hand with boosted trees, on the same folds by part.

The features are those that people try first: histograms of brightness and colour, and of the gradients' directions over
a grid of cells, of each picture at its full size; scikit-learn's boosted trees learn from them.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.vision import RECIPE, WORKERS, configured, cross_validated

FOLDS = 5
BINS, CELLS, DIRECTIONS = 32, 4, 9
DATA = ("factory/data=auto", "factory.data.val_share=0.02")


def figures(folder: Path, data: Path | None, reasons: dict[str, str]) -> dict[str, float | None]:
    """Image AUROC by part of both, and the CPU minutes of the recipe; null without a folder."""
    from twinloop.vision.datasets.build import build
    from twinloop.vision.models.published import PUBLISHED, is_at_hand

    if data is None:
        reasons["folder"] = "no folder of pictures: give --data DIR"
        return {"folder_recipe_auroc_mean": None, "folder_by_hand_auroc_mean": None}
    encoder = next(iter(PUBLISHED))
    weights = "registry" if is_at_hand(encoder) else "none"
    if weights == "none":
        reasons["folder"] = f"package {PUBLISHED[encoder].weights.package} is not installed: the recipe from nothing"
    overrides = (*DATA, *RECIPE, f"factory/weights={weights}")
    recipe = cross_validated("folder_recipe", overrides, data, folder)
    config = configured(*overrides)
    build(config.factory.data, data, folder / "by_hand", seed=config.seed, workers=WORKERS)
    return recipe | by_hand(folder / "by_hand", seed=config.seed, val_share=config.factory.data.val_share)


def by_hand(dataset: Path, *, seed: int, val_share: float) -> dict[str, float | None]:
    """The same folds with features by hand; validation pictures are learnt from as well, nothing is chosen by them."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    from twinloop.vision.datasets.splits import kfold
    from twinloop.vision.index import GOOD, SPLITS, read_index
    from twinloop.vision.ranking import auroc
    from twinloop.vision.training.crossvalidation import corrected_mean

    # In the order in which the recipe sees them, so that both have the same folds.
    index = read_index(dataset)
    rows = [row for split in SPLITS for row in index.iter_rows(named=True) if row["split"] == split]
    labels, groups = [row["label"] for row in rows], [row["group"] for row in rows]
    features = np.stack([described(dataset, row) for row in rows])
    defective = np.array([label != GOOD for label in labels])
    values = []
    for split in kfold(labels, groups, folds=FOLDS, val_share=val_share, seed=seed):
        tested = np.array(split) == "test"
        if len(set(defective[tested])) == 2 == len(set(defective[~tested])):
            trees = HistGradientBoostingClassifier(class_weight="balanced", random_state=seed)
            trees.fit(features[~tested], defective[~tested])
            values.append(auroc(trees.predict_proba(features[tested])[:, 1], defective[tested]))
            print(f"by hand: {values[-1]:.3f}", file=sys.stderr)
    mean = corrected_mean(values, ratio=1 / (FOLDS - 1))
    return {
        "folder_by_hand_auroc_mean": round(mean.mean, 4),
        "folder_by_hand_auroc_half_width": round(mean.half_width, 4),
    }


def described(dataset: Path, row: Mapping[str, Any]) -> NDArray[np.float64]:
    """Histograms of the channels, and of gradient directions weighted by their strength in each of a grid's cells."""
    with Image.open(dataset / row["image"]) as picture:
        pixels = np.asarray(picture.convert("RGB"), np.float64)
    grey = pixels.mean(axis=2)
    shades = [shares(channel, BINS, (0, 256)) for channel in (grey, *np.moveaxis(pixels, 2, 0))]
    down, right = np.gradient(grey)
    strength, direction = np.hypot(down, right), np.arctan2(down, right) % np.pi
    moments = [grey.mean(), grey.std(), strength.mean(), strength.std(), *np.quantile(strength, (0.5, 0.9, 0.99, 1))]
    directions = [
        np.histogram(direction[cell], DIRECTIONS, (0, np.pi), weights=strength[cell])[0] / max(strength[cell].size, 1)
        for cell in cells(grey.shape)
    ]
    return np.concatenate([*shades, moments, *directions])


def cells(shape: Sequence[int]) -> list[tuple[slice, slice]]:
    """A grid over a picture, row by row."""
    rows, columns = (np.linspace(0, side, CELLS + 1).astype(int) for side in shape)
    return [
        (slice(rows[row], rows[row + 1]), slice(columns[column], columns[column + 1]))
        for row in range(CELLS)
        for column in range(CELLS)
    ]


def shares(values: NDArray[np.float64], bins: int, span: tuple[float, float]) -> NDArray[np.float64]:
    """A histogram that sums to one."""
    return np.histogram(values, bins, span)[0] / values.size
