"""How unlike anything learnt a picture is: the distance of its features from those of the training images.

A network's answer to a picture of another kind is arbitrary, and a black one may well be "good". So its features,
averaged over the picture at every depth, are held against those of the training images by Mahalanobis distance (Lee et
al., 2018), the covariance shrunk as Ledoit and Wolf (2004) do. Networks learn to ignore light and blur; so traits of
the picture itself stand in the same distance: brightness, contrast, the ends of the scale, and the energy of its
gradients by octave and direction. Defects in the training images are learnt too: a known defect is not unlike.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from twinloop.errors import InputError
from twinloop.files import atomic
from twinloop.vision.models.base import SurfaceDetector

UNLIKE_FILE = "unlike.safetensors"
# Directions of the network's feature space that are kept, drawn at random (Johnson and Lindenstrauss, 1984).
DIRECTIONS, DIRECTIONS_SEED = 16, 0
OCTAVES, CELLS = 4, 4
# Share of the scale at either end that counts as black or white.
ENDS = 0.04
# Half a grey level: below it contrast and gradients are those of rounding.
FAINT = 0.5 / 255
# Least deviation of a trait, and of a feature beside the median of all: what never varied would count without end.
LEAST_TRAIT, LEAST_FEATURE = 0.01, 0.1
# Added to every variance, of deviations: directions that hardly vary would blow up rounding.
RIDGE = 0.01
# Deviations beyond which all is equally strange: the sum of such squares stays within half precision.
FARTHEST = 30.0
LEAST_IMAGES = 2
BATCH = 64


class Unlike(nn.Module):
    """forward(images [N, C, size, size] in 0…1, pooled features [N, F]) → distance [N], about 1 for what was learnt.

    The distance is the root mean square of whitened coordinates, each within ±30.
    """

    def __init__(self, *, channels: int, features: int) -> None:
        super().__init__()
        plain, kept = _count(channels), min(DIRECTIONS, features)
        self.centre: Tensor
        self.scale: Tensor
        self.directions: Tensor
        self.whitening: Tensor
        self.register_buffer("centre", torch.zeros(plain + features))
        self.register_buffer("scale", torch.ones(plain + features))
        self.register_buffer("directions", _directions(kept, features))
        self.register_buffer("whitening", torch.zeros(plain + kept, plain + kept))

    def forward(self, images: Tensor, pooled: Tensor) -> Tensor:
        away = _product(self._standard(torch.cat([traits(images), pooled], dim=1)), self.whitening)
        return away.clamp(-FARTHEST, FARTHEST).square().mean(dim=1).sqrt()

    def _standard(self, values: Tensor) -> Tensor:
        """Traits and kept directions of features in deviations, from traits and features."""
        deviations = ((values - self.centre) * self.scale).clamp(-FARTHEST, FARTHEST)
        plain = len(self.centre) - self.directions.shape[1]
        return torch.cat([deviations[:, :plain], _product(deviations[:, plain:], self.directions)], dim=1)

    def learn(self, values: Tensor) -> None:
        """Take in traits and features [N, traits + F] of the training images."""
        from sklearn.covariance import LedoitWolf

        plain = len(self.centre) - self.directions.shape[1]
        known = values.double()
        deviation = known.std(dim=0, correction=0)
        deviation[:plain] = deviation[:plain].clamp_min(LEAST_TRAIT)
        deviation[plain:] = deviation[plain:].clamp_min(max(LEAST_FEATURE * float(deviation[plain:].median()), 1e-6))
        self.centre.copy_(known.mean(dim=0))
        self.scale.copy_(1 / deviation)
        standard = self._standard(values).double().numpy()
        covariance = LedoitWolf(assume_centered=True).fit(standard).covariance_ + RIDGE * np.eye(standard.shape[1])
        self.whitening.copy_(torch.from_numpy(np.linalg.inv(np.linalg.cholesky(covariance))))


class WatchedDetector(nn.Module):
    """A detector with its unlike score: images → (class logits, heat, unlike [N]). This is what is exported."""

    def __init__(self, detector: SurfaceDetector, unlike: Unlike | None = None) -> None:
        super().__init__()
        self.detector = detector
        with torch.no_grad():
            pooled = detector.eval().observe(torch.zeros(1, detector.channels, detector.size, detector.size))[2]
        self.unlike = unlike or Unlike(channels=detector.channels, features=pooled.shape[1])

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        logits, heat, pooled = self.detector.observe(images)
        return logits, heat, self.unlike(images, pooled)

    @torch.inference_mode()
    def learn(self, images: NDArray[np.uint8]) -> None:
        """Take in training images [N, size, size, C]. Raises InputError for fewer than two."""
        if len(images) < LEAST_IMAGES:
            raise InputError(f"unlike score: expected at least {LEAST_IMAGES} training images, got {len(images)}")
        self.eval()
        seen = [torch.cat([traits(some), self.detector.observe(some)[2]], dim=1) for some in _batches(images)]
        self.unlike.learn(torch.cat(seen))

    @torch.inference_mode()
    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Unlike scores [N] of images [N, size, size, C]."""
        self.eval()
        return torch.cat([self(some)[2] for some in _batches(images)]).double().numpy()

    def save(self, folder: str | Path) -> None:
        """Write what was learnt beside the graphs, for the detector in PyTorch."""
        weights = {name: tensor.contiguous() for name, tensor in self.unlike.state_dict().items()}
        with atomic(Path(folder) / UNLIKE_FILE) as temporary:
            safetensors.torch.save_file(weights, temporary)

    def adopt(self, folder: str | Path) -> "WatchedDetector":
        """Take what `save` wrote. Raises InputError where it is missing or another detector's."""
        path = Path(folder) / UNLIKE_FILE
        try:
            self.unlike.load_state_dict(safetensors.torch.load_file(path))
        except (OSError, RuntimeError, safetensors.SafetensorError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(f"model: {path}: no unlike score of this detector ({reason}): export again") from error
        return self


def traits(images: Tensor) -> Tensor:
    """Traits [N, T] of images [N, C, size, size] in 0…1, seen as grey but for the colours' own means."""
    grey = images.mean(dim=1, keepdim=True) if images.shape[1] > 1 else images
    mean = grey.mean(dim=(2, 3))
    black = ((ENDS - images).relu() / ENDS).mean(dim=(1, 2, 3))[:, None]
    white = ((images - (1 - ENDS)).relu() / ENDS).mean(dim=(1, 2, 3))[:, None]
    found = [mean, _log_rms(grey - mean[:, :, None, None], (1, 2, 3))[:, None], black, white, *_cells(grey)]
    level, energies = grey, []
    for octave in range(OCTAVES):
        level = functional.avg_pool2d(level, 2) if octave else level
        for step in (level[..., 1:] - level[..., :-1], level[..., 1:, :] - level[..., :-1, :]):
            energies.append(step.abs().mean(dim=(2, 3)))
    found.append((torch.cat(energies, dim=1) + FAINT / 2).log())
    if images.shape[1] > 1:
        found.append(images.mean(dim=(2, 3)) - mean)
    return torch.cat(found, dim=1)


def _cells(grey: Tensor) -> Iterator[Tensor]:
    """What differs between sixteen parts of the picture: least and largest mean and contrast, spread of the means."""
    side = grey.shape[-1] // CELLS
    cut = grey[..., : side * CELLS, : side * CELLS].reshape(-1, CELLS, side, CELLS, side)
    means = cut.mean(dim=4, keepdim=True).mean(dim=2, keepdim=True)
    variances = (cut - means).square().mean(dim=4).mean(dim=2)
    contrasts, levels = (variances + FAINT**2).sqrt().log().flatten(1), means.flatten(1)
    for values in (levels, contrasts):
        yield values.amin(dim=1, keepdim=True)
        yield values.amax(dim=1, keepdim=True)
    yield _log_rms(levels - levels.mean(dim=1, keepdim=True), (1,))[:, None]


def _log_rms(values: Tensor, dim: tuple[int, ...]) -> Tensor:
    return (values.square().mean(dim=dim) + FAINT**2).sqrt().log()


def _product(values: Tensor, matrix: Tensor) -> Tensor:
    # A sum of products: a matrix product would in INT8 be cut at the range of the images learnt.
    return (values[:, None] * matrix).sum(dim=2)


def _directions(kept: int, features: int) -> Tensor:
    random = torch.Generator().manual_seed(DIRECTIONS_SEED)
    return torch.randn(kept, features, generator=random) / math.sqrt(features)


def _count(channels: int) -> int:
    return 4 + 5 + 2 * OCTAVES + (channels if channels > 1 else 0)


def _batches(images: NDArray[np.uint8]) -> Iterator[Tensor]:
    for start in range(0, len(images), BATCH):
        some = images[start : start + BATCH].transpose(0, 3, 1, 2)
        yield torch.from_numpy(np.divide(np.ascontiguousarray(some), np.float32(255), dtype=np.float32))
