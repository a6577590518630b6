"""The detector: a timm encoder, a light top-down decoder for the defect's place, and a head for its class.

The decoder follows feature pyramid networks (Lin et al., 2017); sub-pixel convolution (Shi et al., 2016) brings its
stride-4 map to the heat map's stride at almost no cost. The head pools features where the heat map points, beside
global pooling, so what it attended to can be shown.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from twinloop.vision.models.base import SurfaceDetector, pooled
from twinloop.vision.models.encoders import FINEST_STRIDE, Encoder
from twinloop.vision.models.settings import ModelSettings

RARE = 0.02
# Share of the heat map whose mean judges an image: one pixel alone is noise.
HOTTEST = 0.003


class Decoder(nn.Module):
    """Adds each coarser feature map to the next finer one: list of [N, C_i, h_i, w_i] → [N, width, H/4, W/4]."""

    def __init__(self, channels: Sequence[int], *, width: int) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(nn.Conv2d(count, width, 1) for count in channels)
        self.smooth = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        merged: Tensor = self.laterals[-1](maps[-1])
        for lateral, level in zip(reversed(self.laterals[:-1]), reversed(maps[:-1]), strict=True):
            merged = lateral(level) + functional.interpolate(merged, size=level.shape[-2:], mode="nearest")
        smoothed: Tensor = self.smooth(merged)
        return smoothed


class Detector(SurfaceDetector):
    """Says which defect an image shows and where (kind supervised), or only that there is one (kind simulated).

    Of kind simulated the head has a single output. Its cross-entropy against any defect class then has the gradient
    of binary cross-entropy, so that both kinds are trained by the same loss.
    """

    def __init__(self, settings: ModelSettings, *, classes: Sequence[str], size: int, channels: int) -> None:
        super().__init__(settings, classes=classes, size=size, channels=channels)
        self.encoder = Encoder(settings, size=size, channels=channels)
        self.decoder = Decoder(self.encoder.channels, width=settings.decoder_width)
        self.enlarge = FINEST_STRIDE // settings.heat_stride
        self.heat = nn.Conv2d(settings.decoder_width, self.enlarge**2, 1)
        seen = settings.decoder_width + self.encoder.channels[-1] + 1
        outputs = len(self.classes) if self.names_defects else 1
        self.head = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(seen, outputs))
        self.normalise_for(self.encoder)
        # Defective pixels are rare: starting there spares the first epochs the unlearning of "everywhere".
        nn.init.constant_(_bias(self.heat), float(torch.logit(torch.tensor(RARE))))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self._judge(*self._look(images))

    def observe(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features, maps, heat = self._look(images)
        return *self._judge(features, maps, heat), pooled(maps)

    def _judge(self, features: Tensor, maps: Sequence[Tensor], heat: Tensor) -> tuple[Tensor, Tensor]:
        attended = (features * _attention(heat, self.enlarge)).sum(dim=(2, 3))
        seen = torch.cat([attended, maps[-1].mean(dim=(2, 3)), heat.amax(dim=(2, 3))], dim=1)
        logits: Tensor = self.head(seen)
        if self.settings.image_score == "heat" and not self.training:
            # Training keeps the head as its judge, so that the encoder learns from the images' labels too.
            return self._judged(hottest(heat), logits), heat
        return logits if self.names_defects else self.spread(logits[:, 0]), heat

    def attention(self, images: Tensor) -> Tensor:
        """Where the class was read from: weights [N, 1, size/4, size/4] that sum to one per image."""
        return _attention(self._look(images)[2], self.enlarge)

    def _judged(self, score: Tensor, logits: Tensor) -> Tensor:
        """Class logits whose log odds of "any defect" are `score` [N]; which one it is, the head says."""
        if not self.names_defects:
            return self.spread(score)
        return torch.cat([torch.zeros_like(score)[:, None], score[:, None] + logits[:, 1:].log_softmax(dim=1)], dim=1)

    def _look(self, images: Tensor) -> tuple[Tensor, list[Tensor], Tensor]:
        maps = self.encoder(self.normalised(images))
        features = self.decoder(maps)
        heat = self.heat(features)
        if self.enlarge > 1:
            heat = functional.pixel_shuffle(heat, self.enlarge)
        return features, maps, heat


def hottest(heat: Tensor) -> Tensor:
    """Mean [N] of the hottest three thousandths of each map [N, 1, h, w]."""
    places = heat.flatten(1)
    return places.topk(max(1, round(HOTTEST * places.shape[1])), dim=1).values.mean(dim=1)


def _attention(heat: Tensor, enlarge: int) -> Tensor:
    coarse = functional.avg_pool2d(heat, enlarge) if enlarge > 1 else heat
    return coarse.flatten(2).softmax(dim=2).reshape(coarse.shape)


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias
