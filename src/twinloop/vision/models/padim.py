"""PaDiM (Defard et al., 2021): a Gaussian of the features at every place, and the Mahalanobis distance from it.

Parts must lie alike in all images, since every place is compared with itself. Mean and covariance are gathered in one
pass (Chan et al., 1983) in float64; the inverse Cholesky factor then makes the distance the length of one product.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from twinloop.vision.models.one_class import OneClassDetector
from twinloop.vision.models.settings import ModelSettings


class Padim(OneClassDetector):
    """Judges each place by its Mahalanobis distance, an image by the largest of them.

    Of the features a seeded draw is kept. The covariance of few images is regularised by a share of the mean variance.
    """

    def __init__(self, settings: ModelSettings, *, classes: Sequence[str], size: int, channels: int) -> None:
        super().__init__(settings, classes=classes, size=size, channels=channels)
        dims, places = min(settings.gaussian_dims, self.features), self.grid[0] * self.grid[1]
        self.kept: Tensor
        self.centre: Tensor
        self.whitening: Tensor
        self.register_buffer("kept", torch.arange(dims))
        self.register_buffer("centre", torch.zeros(places, dims, 1))
        self.register_buffer("whitening", torch.zeros(places, dims, dims))

    def learn(self, features: Iterable[Tensor], *, seed: int) -> None:
        random = torch.Generator().manual_seed(seed)
        self.kept.copy_(torch.randperm(self.features, generator=random)[: len(self.kept)].sort().values)
        count = 0
        mean, scatter = self.centre.double() * 0, self.whitening.double() * 0
        for batch in features:
            values = self._places(batch).double()
            added = values.shape[2]
            shift = values.mean(dim=2, keepdim=True) - mean
            within = values - values.mean(dim=2, keepdim=True)
            count += added
            mean += shift * (added / count)
            scatter += within @ within.mT + shift @ shift.mT * (added * (count - added) / count)
        covariance = scatter / max(count - 1, 1)
        variances = covariance.diagonal(dim1=1, dim2=2)
        variances += (self.settings.gaussian_ridge * variances.mean()).clamp_min(1e-12)
        identity = torch.eye(len(self.kept), dtype=covariance.dtype)
        self.centre.copy_(mean)
        self.whitening.copy_(torch.linalg.solve_triangular(torch.linalg.cholesky(covariance), identity, upper=False))

    def distances(self, features: Tensor) -> tuple[Tensor, Tensor]:
        whitened = self.whitening @ (self._places(features) - self.centre)
        places = torch.linalg.vector_norm(whitened, dim=1).T
        return places.amax(dim=1), places.unflatten(1, self.grid)

    def _places(self, features: Tensor) -> Tensor:
        """[places, dims, N] of features [N, D, h, w]."""
        return features[:, self.kept].flatten(2).permute(2, 1, 0)
