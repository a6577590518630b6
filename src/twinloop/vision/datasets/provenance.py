"""Whether good and defective images come from one source: nothing but the surface may tell them apart.

Good parts saved as PNG and defective ones as JPEG, by another camera, in another light or with another border, teach a
detector the source instead of the defect, and every figure is near perfect. For each kind of trait that no defect
changes, a forest is trained on that alone and judged on parts it has not seen (stratified folds by part). It is told
where its AUROC lies beyond chance: `SIGMAS` standard errors of the Mann–Whitney statistic (Mann & Whitney 1947) over
parts, and at least `LEAST`. Where one side has too few parts for folds, a trait tells that all of them share and no
other image has, where chance would single them out less often than that.
"""

import math
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from twinloop.vision.datasets.reading import BROKEN, FORMATS

FOLDS, TREES, DEPTH = 5, 30, 4
SIGMAS, LEAST = 3.5, 0.7
# Images compared, drawn evenly from more; blocks of JPEG are looked for in the middle of large ones.
COMPARED, MIDDLE_PX = 2000, 512
FRAME_PX = 2
TILES = 8
CAMERA = (0x010F, 0x0110, 0x0131)  # EXIF: make, model, software

NAME = "file name"
# Traits of a few values each, and how often chance may single out the parts of one side by them (3.5 standard errors).
SHARED, CHANCE = ("size", "file format"), 2.3e-4

Traits = dict[str, tuple[float, ...]]


@dataclass(frozen=True)
class Tell:
    """A trait that alone tells good from defective; auroc: how well, cross-validated by part."""

    trait: str
    auroc: float

    @property
    def visible(self) -> bool:
        """Whether a detector, which sees pixels alone, can learn it; a file's name only hints at another source."""
        return self.trait != NAME


def traits_of(path: Path, image: NDArray[np.uint8]) -> Traits:
    """What no defect changes about an image file; image: as read, uint8 [H, W] or [H, W, 3]."""
    height, width = image.shape[:2]
    saved = _saved(path)
    return {
        "size": (float(width), float(height), width / height),
        "file format": saved[:3],
        "compression": (*saved[3:], _blockiness(image)),
        "exposure": _exposure(image),
        "border": _border(image),
        NAME: (_code(_shape(path.stem)),),
    }


def told_apart(traits: Sequence[Traits], good: Sequence[bool], parts: Sequence[str]) -> tuple[Tell, ...]:
    """The traits that alone tell good from defective images, the best first; one entry per image in all arguments."""
    step = max(math.ceil(len(traits) / COMPARED), 1)
    truth = ~np.array(good[::step], dtype=bool)
    groups = np.unique(np.array(parts[::step]), return_inverse=True)[1]
    sides = [len(set(groups[truth == side])) for side in (False, True)]
    if min(sides) < FOLDS:
        few = truth == (sides[1] <= sides[0])
        return tuple(
            Tell(name, 1.0) for name in SHARED if _singled_out([own[name] for own in traits[::step]], few, groups)
        )
    error = math.sqrt((sum(sides) + 1) / (12 * sides[0] * sides[1]))
    bound = max(0.5 + SIGMAS * error, LEAST)
    tells = []
    for name in traits[0] if bound < 1 else ():
        values = np.array([own[name] for own in traits[::step]])
        if (values == values[0]).all():
            continue
        told = _skill(values, truth, groups)
        if told >= bound:
            tells.append(Tell(name, told))
    return tuple(sorted(tells, key=lambda tell: -tell.auroc))


def _singled_out(values: Sequence[tuple[float, ...]], few: NDArray[np.bool_], groups: NDArray[np.int64]) -> bool:
    """Whether the images of few parts share one value that no other image has, and not by chance."""
    shared, others = ({value for value, own in zip(values, few, strict=True) if own == side} for side in (True, False))
    ways = math.comb(len(set(groups)), len(set(groups[few])))
    return len(shared) == 1 and not shared & others and ways * CHANCE >= 1


def warning(tells: Sequence[Tell]) -> str:
    """What to say of them, one sentence; "" where there are none."""
    if not tells:
        return ""
    told = ", ".join(f"{tell.trait} (AUROC {tell.auroc:.2f})" for tell in tells)
    if not any(tell.visible for tell in tells):
        return f"Good and defective images are told apart by {told}: do they come from one source?"
    return (
        f"Good and defective images do not come from one source: without a look at the surface they are told apart by "
        f"{told}. A detector learns that instead of the defects: take and save all images alike."
    )


def skill(values: NDArray[np.float64], truth: NDArray[np.bool_], groups: NDArray[np.int64]) -> float | None:
    """AUROC of a forest on these values [N, K], cross-validated by part; None where a class has too few parts.

    Of more than `COMPARED` rows every n-th counts.
    """
    step = max(math.ceil(len(truth) / COMPARED), 1)
    values, truth, groups = values[::step], truth[::step], groups[::step]
    if min(len(set(groups[truth == side])) for side in (False, True)) < FOLDS:
        return None
    return _skill(values, truth, groups)


def _skill(values: NDArray[np.float64], truth: NDArray[np.bool_], groups: NDArray[np.int64]) -> float:
    # It costs a second to load, for those who have images of their own.
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedGroupKFold

    from twinloop.vision.ranking import auroc

    scores = np.zeros(len(truth))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for known, asked in folds.split(values, truth, groups):
        if len(set(truth[known])) < 2:
            return 0.5
        forest = RandomForestClassifier(
            TREES, max_depth=DEPTH, min_samples_leaf=2, class_weight="balanced", random_state=0
        )
        scores[asked] = forest.fit(values[known], truth[known]).predict_proba(values[asked])[:, 1]
    return float(auroc(scores, truth))


def _saved(path: Path) -> tuple[float, ...]:
    """Format, kind of pixels and camera as codes; mean of the quantisation tables, 0 without."""
    try:
        with Image.open(path, formats=FORMATS) as picture:
            exif = picture.getexif()
            camera = " ".join(str(exif.get(tag, "")) for tag in CAMERA)
            tables = getattr(picture, "quantization", None) or {}
            rough = float(np.mean([np.mean(table) for table in tables.values()])) if tables else 0.0
            return (_code(picture.format or ""), _code(picture.mode), _code(camera), rough)
    except (*BROKEN, Image.DecompressionBombWarning, Image.DecompressionBombError):
        return (0.0, 0.0, 0.0, 0.0)


def _blockiness(image: NDArray[np.uint8]) -> float:
    """Steps of brightness across the borders of JPEG's 8 × 8 blocks over those inside; 1 without blocks."""
    grey = image.mean(axis=2) if image.ndim == 3 else image.astype(np.float64)
    top, left = (max(side - MIDDLE_PX, 0) // 16 * 8 for side in grey.shape)
    grey = grey[top : top + MIDDLE_PX, left : left + MIDDLE_PX]
    ratios = []
    for steps in (np.abs(np.diff(grey, axis=1)).mean(axis=0), np.abs(np.diff(grey, axis=0)).mean(axis=1)):
        across = np.arange(len(steps)) % 8 == 7
        if across.any() and steps[~across].mean() > 0:
            ratios.append(steps[across].mean() / steps[~across].mean())
    return float(np.mean(ratios)) if ratios else 1.0


def _exposure(image: NDArray[np.uint8]) -> tuple[float, ...]:
    """Brightness and balance of colours, medians over the medians of tiles: a defect moves few tiles and so neither."""
    if image.ndim == 2:
        return (_middle(image), 0.0, 0.0)
    red, green, blue = (_middle(image[..., channel]) for channel in range(3))
    return (green, red - green, blue - green)


def _middle(grey: NDArray[np.uint8]) -> float:
    thin = grey[:: max(grey.shape[0] // MIDDLE_PX, 1), :: max(grey.shape[1] // MIDDLE_PX, 1)]
    height, width = (side // TILES for side in thin.shape)
    tiles = thin[: height * TILES, : width * TILES].reshape(TILES, height, TILES, width)
    return float(np.median(np.median(tiles, axis=(1, 3))))


def _border(image: NDArray[np.uint8]) -> tuple[float, ...]:
    """Brightness of the outermost pixels against that of their neighbours, and how much it varies along them."""
    grey = image.mean(axis=2) if image.ndim == 3 else image.astype(np.float64)
    frame, ring = _ring(grey, 0), _ring(grey, FRAME_PX)
    return (float(frame.mean() - ring.mean()), float(frame.std() - ring.std()))


def _ring(grey: NDArray[np.float64], start: int) -> NDArray[np.float64]:
    """The pixels from `start` to `start` + FRAME_PX away from the edge."""
    height, width = grey.shape
    inside = grey[start : height - start, start : width - start]
    sides = (inside[:FRAME_PX], inside[-FRAME_PX:], inside[:, :FRAME_PX], inside[:, -FRAME_PX:])
    return np.concatenate([side.ravel() for side in sides])


def _shape(stem: str) -> str:
    """What a name is built of, whatever its words and numbers: IMG_0012 and scratch_7 are both a_0."""
    words = re.sub(r"[^\W\d_]+([\W_]+[^\W\d_]+)*", "a", stem)
    return re.sub(r"\d+", "0", words)


def _code(text: str) -> float:
    """A number for a text, the same everywhere; trees split on it as on any other."""
    return float(zlib.crc32(text.encode("utf-8", "surrogateescape")))
