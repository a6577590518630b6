"""A small temporal convolution network with attention over the last windows of an asset.

Dilated causal convolutions (Bai, Kolter and Koltun, 2018), summed up by attention over time and by the last step: quick
on a CPU, where a recurrent network waits for each step. Raw logits leave the network; what they mean is the head's.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from twinloop.learning.fit import fit, one_cycle
from twinloop.prognostics.models.lookback import Sequences
from twinloop.prognostics.models.settings import NetworkSettings

Floats = NDArray[np.float32]
Loss = Callable[[Tensor, Tensor], Tensor]


class TemporalNetwork(nn.Module):
    """[B, T, C] → logits [B, outputs]."""

    def __init__(self, channels: int, outputs: int, settings: NetworkSettings) -> None:
        super().__init__()
        width = settings.width
        self.enter = nn.Conv1d(channels, width, 1)
        dilations = [2**level for level in range(settings.levels)]
        self.convolutions = nn.ModuleList([nn.Conv1d(width, width, 3, dilation=d) for d in dilations])
        self.norms = nn.ModuleList([nn.BatchNorm1d(width) for _ in dilations])
        self.dilations = dilations
        self.attention = nn.Conv1d(width, 1, 1)
        self.drop = nn.Dropout(settings.dropout)
        self.head = nn.Sequential(
            nn.Linear(2 * width, width), nn.ReLU(), nn.Dropout(settings.dropout), nn.Linear(width, outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        h = self.enter(x.transpose(1, 2))
        for convolution, norm, dilation in zip(self.convolutions, self.norms, self.dilations, strict=True):
            # Padded on the left only: a step sees no later one.
            h = h + self.drop(functional.relu(norm(convolution(functional.pad(h, (2 * dilation, 0))))))
        attended = (torch.softmax(self.attention(h), dim=-1) * h).sum(dim=-1)
        logits: Tensor = self.head(torch.cat([attended, h[:, :, -1]], dim=1))
        return logits


class _Task(lightning.LightningModule):
    """Fits a network on windows of `rows`; the logged figure is the negative training loss."""

    def __init__(
        self,
        network: TemporalNetwork,
        sequences: Sequences,
        rows: NDArray[np.int64],
        targets: Floats,
        loss: Loss,
        settings: NetworkSettings,
        *,
        seed: int,
    ) -> None:
        super().__init__()
        self.network, self.loss, self.options, self.seed = network, loss, settings, seed
        self._sequences, self._rows, self._targets = sequences, rows, targets
        self.per_epoch = max(int(len(rows) * settings.share) // settings.batch, 1)

    def train_dataloader(self) -> Any:
        return _Batches(self)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        x, y = batch
        if self.options.noise:
            x = x + self.options.noise * torch.randn(x.shape)
        loss = self.loss(self.network(x), y)
        self.log("fitness", -loss, on_step=False, on_epoch=True, batch_size=len(x))
        return loss

    def configure_optimizers(self) -> Any:
        options, steps = self.options, self.per_epoch * self.options.fit.epochs
        return one_cycle(self, learning_rate=options.learning_rate, weight_decay=options.weight_decay, steps=steps)


class _Batches:
    """The batches of one epoch, drawn from seed and epoch alone, so that a resumed run repeats them."""

    def __init__(self, task: _Task) -> None:
        self.task = task

    def __len__(self) -> int:
        return self.task.per_epoch

    def __iter__(self) -> Any:
        task, options = self.task, self.task.options
        order = np.random.default_rng([task.seed, task.current_epoch]).permutation(len(task._rows))
        for batch in range(len(self)):
            chosen = order[batch * options.batch : (batch + 1) * options.batch]
            x = task._sequences.windows(task._rows[chosen], options.length)
            yield torch.from_numpy(x), torch.from_numpy(task._targets[chosen])


def fit_network(
    sequences: Sequences,
    rows: NDArray[np.int64],
    targets: Floats,
    loss: Loss,
    settings: NetworkSettings,
    *,
    outputs: int,
    seed: int,
) -> TemporalNetwork:
    """A network with so many outputs, fitted to targets [B, …] at `rows` [B] by `loss` of logits and targets."""
    torch.manual_seed(seed)
    network = TemporalNetwork(sequences.values.shape[1] + 1, outputs, settings)
    task = _Task(network, sequences, rows, targets, loss, settings, seed=seed)
    fit(task, settings.fit, monitor="fitness", seed=seed)
    return network.eval()


def logits(
    network: TemporalNetwork, sequences: Sequences, rows: NDArray[np.int64], settings: NetworkSettings
) -> NDArray[np.float64]:
    """[B, outputs] of a fitted network, 2048 windows at a time."""
    parts = []
    with torch.inference_mode():
        for part in np.array_split(rows, max(-(-len(rows) // 2048), 1)):
            parts.append(network(torch.from_numpy(sequences.windows(part, settings.length))).double().numpy())
    return np.concatenate(parts)
