"""Several judgements of an image as one: of networks that differ in their seed, of the image and its mirror images.

Deep ensembles: Lakshminarayanan et al., 2017. Probabilities are averaged, not logits: a member that is sure counts as
such, and the mean is a probability again. It is taken through log-sum-exp, so that it stays exact where float32
probabilities would be 0 or 1.
"""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from twinloop.errors import InputError
from twinloop.vision.models.base import SurfaceDetector
from twinloop.vision.models.detector import Detector
from twinloop.vision.models.settings import ModelSettings

View = tuple[bool, int]
# How an image is shown: whether mirrored, and then by how many quarters turned.
VIEWS: dict[str, list[View]] = {
    "none": [(False, 0)],
    "mirror": [(mirrored, turns) for mirrored in (False, True) for turns in (0, 2)],
    "square": [(mirrored, turns) for mirrored in (False, True) for turns in range(4)],
}


class Ensemble(SurfaceDetector):
    """The mean over its members, and over the views of `settings.symmetries`, in one graph.

    Class logits are log mean softmax, heat logits the log odds of the mean heat probability; a pixel or an image that
    all members judge alike keeps that judgement. Raises InputError for members that do not fit together.
    """

    def __init__(self, settings: ModelSettings, members: Sequence[Detector]) -> None:
        kinds = {(member.classes, member.size, member.channels, member.settings.kind) for member in members}
        if len(members) != settings.members or len(kinds) != 1 or settings.kind != members[0].settings.kind:
            raise InputError(
                f"ensemble: expected {settings.members} {settings.kind} detectors of the same classes, size and "
                f"channels, got {len(members)} of {len(kinds)} sorts"
            )
        first = members[0]
        super().__init__(settings, classes=first.classes, size=first.size, channels=first.channels)
        self.members = nn.ModuleList(members)
        self.mean.copy_(first.mean)
        self.std.copy_(first.std)

    @property
    def _detectors(self) -> list[Detector]:
        return cast(list[Detector], list(self.members))

    @property
    def _views(self) -> list[View]:
        return VIEWS[self.settings.symmetries]

    def normalise_to(self, mean: Tensor, std: Tensor) -> None:
        super().normalise_to(mean, std)
        for member in self._detectors:
            member.normalise_to(mean, std)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self._mean(images, self._detectors[0](images))

    def observe(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `forward`, and the features of the first member, which stand for all: they are alike in kind."""
        logits, heat, features = self._detectors[0].observe(images)
        return *self._mean(images, (logits, heat)), features

    def _mean(self, images: Tensor, first: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Of all answers, the `first` being that of the first member to the first view, the image itself."""
        shown = [(view, member) for view in self._views for member in self._detectors][1:]
        answers = [(first, self._views[0]), *((member(seen(images, view)), view) for view, member in shown)]
        classes = torch.stack([logits.log_softmax(dim=1) for (logits, _), _ in answers]).logsumexp(dim=0)
        heat = torch.stack([_back(heat, view) for (_, heat), view in answers])
        defective, sound = (functional.logsigmoid(side).logsumexp(dim=0) for side in (heat, -heat))
        return classes - math.log(len(answers)), defective - sound

    def attention(self, images: Tensor) -> Tensor:
        """Where the classes were read from, on average: weights [N, 1, size/4, size/4] that sum to one per image."""
        maps = [_back(member.attention(seen(images, view)), view) for view in self._views for member in self._detectors]
        return torch.stack(maps).mean(dim=0)


def seen(images: Tensor, view: View) -> Tensor:
    """Images, or what belongs to them, [..., h, w] in a view."""
    mirrored, turns = view
    return (images.flip(-1) if mirrored else images).rot90(turns, (-2, -1))


def _back(maps: Tensor, view: View) -> Tensor:
    """Maps [N, 1, h, w] of a view, as maps of the image itself."""
    mirrored, turns = view
    turned = maps.rot90(-turns, (2, 3))
    return turned.flip(3) if mirrored else turned
