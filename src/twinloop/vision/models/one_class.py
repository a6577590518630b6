"""Detectors that learn from good images alone: how far an image's features lie from those of good ones.

A frozen encoder gives features; a kind (PatchCore, PaDiM) turns them into distances. Distances have no natural zero, so
an affine map, fitted on good images that were held out, makes logits of them, and thresholds, boxes and calibration
work as for any other detector: heat logit 0 is the 99.9 % quantile of good pixels, −log 999 their median; an image's
logit is 0 three standard deviations above the mean of good images, −log 999 at the mean.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from twinloop.errors import InputError
from twinloop.vision.models.base import SurfaceDetector, pooled
from twinloop.vision.models.encoders import Encoder
from twinloop.vision.models.settings import ModelSettings

EXCEEDED = 0.001
DEVIATIONS = 3.0
# Between the good pixels' median and their 99.9 % quantile, between the good images' mean and three deviations more.
SPAN = math.log((1 - EXCEEDED) / EXCEEDED)
LEAST_IMAGES = 2


class OneClassDetector(SurfaceDetector):
    """Base of the detectors by distance. A kind gives `learn` and `distances`; `fit` is the whole training.

    The encoder is frozen and the module stays in evaluation mode: `train()` does not change it.
    """

    def __init__(self, settings: ModelSettings, *, classes: Sequence[str], size: int, channels: int) -> None:
        super().__init__(settings, classes=classes, size=size, channels=channels)
        self.encoder = Encoder(settings, size=size, channels=channels, stages=settings.stages).requires_grad_(False)
        self.normalise_for(self.encoder)
        self.eval()
        with torch.no_grad():
            maps = self.encoder(torch.zeros(1, channels, size, size))
        self.grid = (maps[0].shape[2], maps[0].shape[3])
        self.features = sum(self.encoder.channels)
        self.fitted = False
        self.pixel: Tensor
        self.image: Tensor
        self.blur: Tensor
        # Offset and scale of the affine maps.
        self.register_buffer("pixel", torch.zeros(2))
        self.register_buffer("image", torch.zeros(2))
        self.register_buffer("blur", _gaussian(settings.blur_px / settings.heat_stride), persistent=False)

    def learn(self, features: Iterable[Tensor], *, seed: int) -> None:
        """Take in the features [N, D, h, w] of good images, batch by batch."""
        raise NotImplementedError

    def distances(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """From features [N, D, h, w] an image's distance [N] and that of its places [N, h, w]."""
        raise NotImplementedError

    @torch.no_grad()
    def fit(self, good: Iterable[Tensor], *, held_out: Iterable[Tensor], seed: int) -> None:
        """Learn from batches of good images in one pass, then map distances to logits with those held out, on the CPU.

        good, held_out: float [N, channels, size, size] in 0…1. The images held out must be good and of other parts;
        a few dozen suffice. Raises InputError for fewer than two images in either.
        """
        counted = _Counted(good)
        self.learn((self.embed(images) for images in counted), seed=seed)
        kind = self.settings.kind
        if counted.images < LEAST_IMAGES:
            raise InputError(f"{kind}: expected at least {LEAST_IMAGES} good images to learn, got {counted.images}")
        judged = [self._judge(self.embed(images)) for images in held_out]
        scores = torch.cat([score for score, _ in judged]) if judged else torch.empty(0)
        if len(scores) < LEAST_IMAGES:
            raise InputError(f"{kind}: expected at least {LEAST_IMAGES} good images held out, got {len(scores)}")
        pixels = torch.cat([heat.flatten() for _, heat in judged]).double()
        rank = max(1, math.ceil((1 - EXCEEDED) * len(pixels)))
        limit, middle = pixels.kthvalue(rank).values, pixels.median()
        self.pixel.copy_(_affine(limit, limit - middle))
        deviation = DEVIATIONS * scores.double().std()
        self.image.copy_(_affine(scores.double().mean() + deviation, deviation))
        self.fitted = True

    def adopt(self, weights: Mapping[str, Tensor]) -> None:
        super().adopt(weights)
        self.fitted = True

    def require_fitted(self) -> None:
        if not self.fitted:
            raise InputError(f"{self.settings.kind}: this detector was not fitted: train it on good images first")

    def train(self, mode: bool = True) -> "OneClassDetector":
        return super().train(False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.observe(images)[:2]

    def observe(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        self.require_fitted()
        features = self.embed(images)
        score, heat = self._judge(features)
        logits = self.spread((score - self.image[0]) * self.image[1])
        return logits, (heat - self.pixel[0]) * self.pixel[1], pooled([features])

    def embed(self, images: Tensor) -> Tensor:
        """Features [N, D, h, w]: the chosen maps, the coarser ones enlarged bilinearly to the finest."""
        finest, *coarser = (self.gather(level) for level in self.encoder(self.normalised(images)))
        enlarged = [
            functional.interpolate(level, size=self.grid, mode="bilinear", align_corners=False) for level in coarser
        ]
        return torch.cat([finest, *enlarged], dim=1)

    def gather(self, level: Tensor) -> Tensor:
        """What of one encoder map [N, C, h, w] is compared."""
        return level

    def _judge(self, features: Tensor) -> tuple[Tensor, Tensor]:
        score, places = self.distances(features)
        side = self.size // self.settings.heat_stride
        heat = functional.interpolate(places[:, None], size=(side, side), mode="bilinear", align_corners=False)
        edge = self.blur.shape[-1] // 2
        if edge:
            # A Gaussian is separable: once along the rows, once along the columns.
            heat = functional.conv2d(functional.pad(heat, (edge, edge, 0, 0), mode="replicate"), self.blur)
            heat = functional.conv2d(functional.pad(heat, (0, 0, edge, edge), mode="replicate"), self.blur.mT)
        return score, heat


class _Counted:
    """Batches handed through, counting their images."""

    def __init__(self, batches: Iterable[Tensor]) -> None:
        self.batches, self.images = batches, 0

    def __iter__(self) -> Iterator[Tensor]:
        for batch in self.batches:
            self.images += len(batch)
            yield batch


def _affine(zero: Tensor, span: Tensor) -> Tensor:
    # Images that are all alike have no span: one in a thousand of the distance keeps the logits finite.
    least = zero.abs().clamp_min(1e-6) * 1e-3
    return torch.stack([zero, SPAN / torch.maximum(span, least)]).float()


def _gaussian(deviation: float) -> Tensor:
    edge = math.ceil(3 * deviation)
    if not edge:
        return torch.ones(1, 1, 1, 1)
    weights = torch.exp(-0.5 * (torch.arange(-edge, edge + 1) / deviation) ** 2)
    return (weights / weights.sum()).reshape(1, 1, 1, -1)
