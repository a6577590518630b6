"""The detector: a timm encoder, a light top-down decoder for the defect's place, and a head for its class.

The decoder follows feature pyramid networks (Lin et al., 2017); sub-pixel convolution (Shi et al., 2016) brings its
stride-4 map to the heat map's stride at almost no cost. The head pools features where the heat map points, beside
global pooling, so what it attended to can be shown.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from twinloop.vision.models.base import SurfaceDetector, anomaly_score, pooled
from twinloop.vision.models.encoders import FINEST_STRIDE, Encoder
from twinloop.vision.models.settings import ModelSettings

RARE = 0.02
# Share of the heat map whose mean judges an image: one pixel alone is noise.
HOTTEST = 0.003
# What of a frozen encoder is judged: its maps of stride 4 to 16.
FROZEN_STAGES = (1, 2, 3)


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


class PlaceDecoder(nn.Module):
    """One hidden layer over the features of each place: list of [N, C_i, h_i, w_i] → [N, width, H/4, W/4].

    What an encoder with pretrained weights needs; few places of few images teach it. Convolutions of 1 × 1 and bilinear
    enlargement may be exchanged, so each map is brought to the few hidden units before it is enlarged.
    """

    def __init__(self, channels: Sequence[int], *, width: int) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(
            nn.Conv2d(count, width, 1, bias=not place) for place, count in enumerate(channels)
        )

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        side = maps[0].shape[-2:]
        finest, *coarser = (lateral(level) for lateral, level in zip(self.laterals, maps, strict=True))
        total: Tensor = finest
        for level in coarser:
            total = total + functional.interpolate(level, size=side, mode="bilinear", align_corners=False)
        return total.relu()


class Detector(SurfaceDetector):
    """Says which defect an image shows and where (kind supervised), or only that there is one (kind simulated).

    Where the settings say that its encoder is frozen, that keeps its weights and each place is judged by itself.
    Of kind simulated the head has a single output. Its cross-entropy against any defect class then has the gradient
    of binary cross-entropy, so that both kinds are trained by the same loss.
    """

    def __init__(self, settings: ModelSettings, *, classes: Sequence[str], size: int, channels: int) -> None:
        super().__init__(settings, classes=classes, size=size, channels=channels)
        frozen = settings.frozen
        self.encoder = Encoder(settings, size=size, channels=channels, stages=FROZEN_STAGES if frozen else ())
        self.encoder.requires_grad_(not frozen).train(not frozen)
        decoder = PlaceDecoder if frozen else Decoder
        self.decoder = decoder(self.encoder.channels, width=settings.decoder_width)
        self.enlarge = FINEST_STRIDE // settings.heat_stride
        self.heat = nn.Conv2d(settings.decoder_width, self.enlarge**2, 1)
        deepest = 3 * sum(self.encoder.channels) if frozen else self.encoder.channels[-1] + 1
        seen = settings.decoder_width + deepest
        outputs = len(self.classes) if self.names_defects else 1
        self.head = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(seen, outputs))
        self.normalise_for(self.encoder)
        # Defective pixels are rare: starting there spares the first epochs the unlearning of "everywhere".
        nn.init.constant_(bias(self.heat), float(torch.logit(torch.tensor(RARE))))

    def train(self, mode: bool = True) -> "Detector":
        super().train(mode)
        self.encoder.train(mode and not self.settings.frozen)
        return self

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.judge(self.encoder(self.normalised(images)))

    def observe(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        maps = self.encoder(self.normalised(images))
        return *self.judge(maps), pooled(maps)

    def judge(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """What `forward` makes of the encoder's maps."""
        seen, heat = self.pool(maps)
        logits: Tensor = self.head(seen)
        # Training keeps the head as its judge, so that the encoder learns from the images' labels too.
        by_head = self.settings.image_score == "head" or self.training
        if by_head and not self.settings.frozen:
            return logits if self.names_defects else self.spread(logits[:, 0]), heat
        return self._judged(self._score(logits, heat), logits), heat

    def pool(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """What the head sees [N, pooled] of the encoder's maps, the decoder's features first, and the heat map."""
        features, heat = self._look(maps)
        attended = (features * _attention(heat, self.enlarge)).sum(dim=(2, 3))
        if self.settings.frozen:
            return torch.cat([attended, *(_summary(level) for level in maps)], dim=1), heat
        return torch.cat([attended, maps[-1].mean(dim=(2, 3)), heat.amax(dim=(2, 3))], dim=1), heat

    def attention(self, images: Tensor) -> Tensor:
        """Where the class was read from: weights [N, 1, size/4, size/4] that sum to one per image."""
        return _attention(self._look(self.encoder(self.normalised(images)))[1], self.enlarge)

    def _score(self, logits: Tensor, heat: Tensor) -> Tensor:
        """log odds [N] of "any defect" by what `image_score` names; a frozen encoder's head says it by its first."""
        if self.settings.image_score == "heat":
            return hottest(heat)
        by_head = logits[:, 0] if self.settings.frozen or not self.names_defects else anomaly_score(logits)
        return by_head if self.settings.image_score == "head" else (hottest(heat) + by_head) / 2

    def _judged(self, score: Tensor, logits: Tensor) -> Tensor:
        """Class logits whose log odds of "any defect" are `score` [N]; which one it is, the head says."""
        if not self.names_defects:
            return self.spread(score)
        return torch.cat([torch.zeros_like(score)[:, None], score[:, None] + logits[:, 1:].log_softmax(dim=1)], dim=1)

    def _look(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        features = self.decoder(maps)
        heat = self.heat(features)
        if self.enlarge > 1:
            heat = functional.pixel_shuffle(heat, self.enlarge)
        return features, heat


def hottest(heat: Tensor) -> Tensor:
    """Mean [N] of the hottest three thousandths of each map [N, 1, h, w]."""
    places = heat.flatten(1)
    return places.topk(max(1, round(HOTTEST * places.shape[1])), dim=1).values.mean(dim=1)


def _summary(level: Tensor) -> Tensor:
    """Mean, deviation and largest local mean [N, 3 C] of each channel of a map [N, C, h, w]."""
    local = functional.avg_pool2d(level, 3, stride=1)
    return torch.cat([level.mean(dim=(2, 3)), level.flatten(2).std(dim=2), local.amax(dim=(2, 3))], dim=1)


def _attention(heat: Tensor, enlarge: int) -> Tensor:
    coarse = functional.avg_pool2d(heat, enlarge) if enlarge > 1 else heat
    return coarse.flatten(2).softmax(dim=2).reshape(coarse.shape)


def bias(layer: nn.Conv2d) -> Tensor:
    """The offsets of a layer that has some."""
    assert layer.bias is not None
    return layer.bias
