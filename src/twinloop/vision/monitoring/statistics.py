"""What the monitor looks at in each image: the score, what the detector saw, and the picture itself.

Of the picture: brightness (mean grey), contrast (standard deviation of grey), sharpness (variance of the Laplacian:
Pech-Pacheco et al. 2000) and noise (Immerkær 1996), all in units of full scale. The detector gives no inner features,
so the embedding is its heat map, averaged over a grid and in log odds: what it saw, roughly where.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve, laplace

Floats = NDArray[np.float64]
GRID = 4
# Log odds beyond which heat says no more.
LARGEST_ODDS = 12.0
IMMERKAER = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])
PICTURE = ("brightness", "contrast", "sharpness", "noise")


@dataclass(frozen=True, eq=False)
class Observations:
    """Images as the monitor sees them, N rows each.

    score: log odds of a defect. stopped: whether the image was not accepted. embedding: [N, GRID²]. picture: [N, 4],
    the columns of PICTURE. unlike: the detector's unlike score.
    """

    score: Floats
    stopped: NDArray[np.bool_]
    embedding: Floats
    picture: Floats
    unlike: Floats

    def __len__(self) -> int:
        return len(self.score)

    def rows(self, chosen: NDArray[np.int64] | slice) -> "Observations":
        """Some of them."""
        return Observations(**{name: values[chosen] for name, values in vars(self).items()})


def observe(
    images: NDArray[np.uint8],
    heat: Iterable[NDArray[np.floating]],
    scores: NDArray[np.floating],
    stopped: NDArray[np.bool_],
    unlike: NDArray[np.floating],
) -> Observations:
    """images: uint8 [N, H, W, C] at the detector's size. heat: N maps [h, w] of probabilities. Of the rest: [N]."""
    return Observations(
        score=np.asarray(scores, np.float64),
        stopped=np.asarray(stopped, np.bool_),
        embedding=np.array([_embedding(one) for one in heat]).reshape(len(images), GRID**2),
        picture=np.array([_picture(one) for one in images]).reshape(len(images), len(PICTURE)),
        unlike=np.asarray(unlike, np.float64),
    )


def _embedding(heat: NDArray[np.floating]) -> Floats:
    edge = 1 / (1 + np.exp(LARGEST_ODDS))
    inside = np.clip(heat.astype(np.float64), edge, 1 - edge)
    odds = np.log(inside / (1 - inside))
    rows = np.array_split(odds, GRID, axis=0)
    return np.array([block.mean() for row in rows for block in np.array_split(row, GRID, axis=1)])


def _picture(image: NDArray[np.uint8]) -> Floats:
    grey = image.mean(axis=2) / 255
    noise = np.abs(convolve(grey, IMMERKAER)).mean() * np.sqrt(np.pi / 2) / 6
    return np.array([grey.mean(), grey.std(), laplace(grey).var(), noise])
