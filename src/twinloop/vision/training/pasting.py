"""Defects pasted onto good images: where there are few of them, or none at all, training still sees many.

Real ones are cut out of training images along their masks (Ghiasi et al., 2021), rendered ones come from the synthetic
surfaces (simulated anomalies as in DRAEM, Zavrtanik et al., 2021). Both become a patch: how much of the surface stays
visible and what is added, relative to its brightness; so they take on the light of the place they are pasted to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from scipy import ndimage

from twinloop.errors import InputError
from twinloop.vision.index import ImageSet
from twinloop.vision.synthetic.flaws import FLAWS
from twinloop.vision.training.settings import UNKNOWN

Pixels = NDArray[np.uint8]
Values = NDArray[np.float32]
KINDS = tuple(sorted(FLAWS))
# Where both sources are asked for: rendered ones never repeat, the few real ones would be learnt by heart.
REAL_SHARE = 0.3
RENDERED_DEPTH = (0.12, 0.5)
LARGEST_CUT = 2000
# Pixels around a mask that are cut out with it, over which the patch fades into the surface.
RIM_PX = 4
SOFTNESS_PX = 1.0
SPECK_PX = 4
# The surface's own brightness is the mean over so many pixels: finer than light falls off, coarser than texture.
LOCAL_PX = 15
SCALE = (0.7, 1.3)
STRENGTH = (0.6, 1.1)
DARKEST = 1.0


@dataclass(frozen=True, eq=False)
class Patch:
    """A defect apart from its surface: with m the local brightness, a pixel p becomes m + keep · (p − m) + m · change.

    change: float32 [h, w, C]. keep: float32 [h, w] in 0…1. mask: float32 [h, w], 1 on the defect. label: its class.
    """

    change: Values
    keep: Values
    mask: Values
    label: int


class Paster:
    """Pastes a defect onto the share `share` of the good images it is shown; draws come from the caller's generator.

    source: real (cut out of the defective `images` whose pixel truth is known), synthetic or both.
    Raises InputError where real ones are asked for and there are none.
    """

    def __init__(self, images: ImageSet, *, share: float, source: str) -> None:
        self.share, self.source = share, source
        self._cut = cut_out(images) if source != "synthetic" else ()
        if source != "synthetic" and not self._cut:
            raise InputError(
                "TrainSettings.paste: no training image shows a defect with a mask, so none can be cut out; "
                "set TrainSettings.paste_source=synthetic"
            )
        self._size = images.images.shape[1]

    def __call__(self, image: Pixels, mask: Pixels, rng: Generator) -> int | None:
        """Perhaps paste one defect into a good image [H, W, C] and its mask [H, W], in place; returns its class.

        None: nothing was pasted. UNKNOWN: a rendered defect.
        """
        if rng.random() >= self.share:
            return None
        real = self.source == "real" or (self.source == "both" and rng.random() < REAL_SHARE)
        patch = self._cut[rng.integers(len(self._cut))] if real else render(self._size, rng)
        return patch.label if paste(image, mask, varied(patch, rng), rng) else None


def cut_out(images: ImageSet) -> tuple[Patch, ...]:
    """Every connected defect of the masks of `images` as a patch, at most LARGEST_CUT, evenly over the images.

    Specks of fewer than four pixels are left out where the image shows a larger defect.
    """
    patches: list[Patch] = []
    for index in np.flatnonzero((images.labels > 0) & images.masks.any(axis=(1, 2))):
        truth = images.masks[index] > 0
        # Nearby pieces belong together: a crack that breaks off for two pixels is one crack.
        pieces, count = ndimage.label(ndimage.binary_dilation(truth, iterations=2))
        sizes, boxes = np.bincount(pieces[truth], minlength=count + 1), ndimage.find_objects(pieces)
        for piece in np.flatnonzero((sizes >= min(SPECK_PX, sizes.max())) & (sizes > 0)):
            window = tuple(
                slice(max(0, side.start - RIM_PX), min(length, side.stop + RIM_PX))
                for side, length in zip(boxes[piece - 1], truth.shape, strict=True)
            )
            patch = _patch(images.images[index][window], truth[window] & (pieces[window] == piece), truth[window])
            if patch is not None:
                patches.append(replace(patch, label=int(images.labels[index])))
    kept = np.linspace(0, len(patches) - 1, min(len(patches), LARGEST_CUT)).round().astype(int)
    return tuple(patches[place] for place in kept)


def _patch(pixels: Pixels, mask: NDArray[np.bool_], all_defects: NDArray[np.bool_]) -> Patch | None:
    if all_defects.all():
        return None  # No surface around it: nothing says how it differs from one.
    around = pixels[~all_defects].mean(axis=0, dtype=np.float64)
    relative = pixels / np.maximum(around, DARKEST) - 1
    alpha = ndimage.gaussian_filter(ndimage.binary_dilation(mask).astype(np.float64), SOFTNESS_PX)
    alpha = np.maximum(alpha, mask)
    return Patch(
        (alpha[..., None] * relative).astype(np.float32),
        (1 - alpha).astype(np.float32),
        mask.astype(np.float32),
        UNKNOWN,
    )


def render(size: int, rng: Generator) -> Patch:
    """A defect of any kind, rendered for images of `size` pixels."""
    kind = KINDS[rng.integers(len(KINDS))]
    flaw = FLAWS[kind](rng, size, depth=rng.uniform(*RENDERED_DEPTH), angle=None)
    visible = flaw.mask | (np.abs(flaw.change) > 0.01)
    rows, columns = (np.flatnonzero(visible.any(axis=axis)) for axis in (1, 0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return Patch(
        flaw.change[window][..., None].astype(np.float32),
        flaw.keep[window].astype(np.float32),
        flaw.mask[window].astype(np.float32),
        UNKNOWN,
    )


def varied(patch: Patch, rng: Generator) -> Patch:
    """The patch turned by any angle, mirrored or not, scaled by 0.7 to 1.3, weakened or strengthened a little."""
    angle, scale = rng.uniform(0, 2 * np.pi), rng.uniform(*SCALE)
    mirror = 1 if rng.random() < 0.5 else -1
    cosine, sine = np.cos(angle), np.sin(angle)
    height, width = patch.mask.shape
    # From places in the new patch to places in the old one.
    back = np.array([[cosine, -sine], [mirror * sine, mirror * cosine]]) / scale
    shape = np.ceil(np.abs(np.linalg.inv(back)) @ (height, width)).astype(int).clip(1)
    offset = (np.array([height, width]) - 1) / 2 - back @ ((shape - 1) / 2)

    def moved(field: Values, outside: float) -> Values:
        result: Values = ndimage.affine_transform(
            field, back, offset, output_shape=tuple(shape), order=1, mode="grid-constant", cval=outside
        )
        return result

    strength = np.float32(rng.uniform(*STRENGTH))
    change = np.stack([moved(patch.change[..., channel], 0.0) for channel in range(patch.change.shape[2])], axis=2)
    return Patch(change * strength, moved(patch.keep, 1.0), moved(patch.mask, 0.0), patch.label)


def paste(image: Pixels, mask: Pixels, patch: Patch, rng: Generator) -> bool:
    """Put `patch` somewhere on an image [H, W, C] and its mask [H, W], in place; what sticks out is cut off.

    False, and nothing changed, where no defective pixel would come to lie on the image.
    """
    here, there = zip(
        *(_overlap(length, side, rng) for length, side in zip(mask.shape, patch.mask.shape, strict=True)), strict=True
    )
    strength = patch.mask[there]
    truth = (strength > 0) & (strength >= min(0.5, float(strength.max(initial=0.0))))
    if not truth.any():
        return False
    pixels, keep = image[here].astype(np.float32), patch.keep[there][..., None]
    level = ndimage.uniform_filter(pixels, (LOCAL_PX, LOCAL_PX, 0))
    changed = level + keep * (pixels - level) + level * patch.change[there]
    image[here] = np.floor(changed.clip(0, 255) + 0.5).astype(np.uint8)
    mask[here] |= truth.astype(np.uint8)
    return True


def _overlap(length: int, side: int, rng: Generator) -> tuple[slice, slice]:
    """Where a patch of `side` pixels falls on `length` pixels: the places on the image, and those of the patch."""
    start = int(rng.integers(min(0, length - side), max(0, length - side) + 1))
    low, high = max(0, start), min(length, start + side)
    return slice(low, high), slice(low - start, high - start)


def with_pasted(
    images: ImageSet, paster: Paster, *, seed: int, classes: Sequence[str], places: NDArray[np.int64] | None = None
) -> ImageSet:
    """The images with a defect pasted onto every second good one, labelled as the first defect of `classes`.

    For a validation without real defects, of a detector that names none. places: which to paste on instead.
    """
    pictures, masks, labels = images.images.copy(), images.masks.copy(), images.labels.copy()
    for index in np.flatnonzero(labels == 0)[::2] if places is None else places:
        if paster(pictures[index], masks[index], default_rng((seed, int(index)))) is not None:
            labels[index] = 1
    return replace(images, images=pictures, masks=masks, labels=labels, classes=tuple(classes))
