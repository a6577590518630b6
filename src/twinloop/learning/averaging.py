"""An exponential moving average of a module's weights, kept beside them (Polyak and Juditsky, 1992).

The decay rises with the number of steps, as the first weights are random and must not linger: after t steps it is
min(decay, (1 + t) / (10 + t)). Lightning's own callback copies the whole module, training images included.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Floating-point parameters and buffers are averaged; whole numbers, such as counts of batches, are copied."""

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.weights: dict[str, Tensor] = {}

    @torch.no_grad()
    def update(self, module: nn.Module, *, step: int) -> None:
        """Take in the weights after `step` (from 1) steps of the optimiser."""
        current = module.state_dict()
        if not self.weights:
            self.weights = {name: value.detach().clone() for name, value in current.items()}
            return
        decay = min(self.decay, (1 + step) / (10 + step))
        averaged = [name for name, value in current.items() if value.is_floating_point()]
        torch._foreach_lerp_([self.weights[name] for name in averaged], [current[name] for name in averaged], 1 - decay)
        for name in current.keys() - set(averaged):
            self.weights[name].copy_(current[name])

    def load(self, weights: Mapping[str, Tensor], *, like: nn.Module) -> None:
        """Go on with saved `weights`, on the devices of the module's own."""
        current = like.state_dict()
        self.weights = {name: value.to(current[name].device) for name, value in weights.items()}

    @contextmanager
    def inside(self, module: nn.Module) -> Iterator[None]:
        """The module with the averaged weights; its own come back afterwards."""
        own = {name: value.detach().clone() for name, value in module.state_dict().items()}
        module.load_state_dict(self.weights)
        try:
            yield
        finally:
            module.load_state_dict(own)
